import CKernels

/// The patched diffusion of the `realtime` profile: one pass at a fixed timestep for each phase.
///
/// Some patches are noised, the rest stay clean as their condition, the network predicts the clean image,
/// and the predicted patches are kept (pDDPM, Behrendt et al. 2023; phases instead of windows).
package struct PatchedDiffusion: Sendable, Equatable, Codable {
    /// Steps of the cosine schedule.
    package let steps: Int
    /// The fixed timestep at test, an index into the schedule.
    package let timestep: Int
    /// Kind of noise.
    package let noise: NoiseKind
    /// Seed of the noise field at test.
    package let noiseSeed: UInt64
    /// How the frame is divided.
    package let phases: PatchPhases

    /// Gathers the constants; `nil` for a timestep outside the schedule.
    package init?(steps: Int = 1000, timestep: Int, noise: NoiseKind, noiseSeed: UInt64, phases: PatchPhases)
    {
        guard (2...100_000).contains(steps), (0..<steps).contains(timestep) else { return nil }
        (self.steps, self.timestep, self.noise) = (steps, timestep, noise)
        (self.noiseSeed, self.phases) = (noiseSeed, phases)
    }

    /// The same with another timestep or other phases; `nil` for a timestep outside the schedule.
    package func changed(timestep: Int? = nil, phases: PatchPhases? = nil) -> PatchedDiffusion? {
        PatchedDiffusion(
            steps: steps,
            timestep: timestep ?? self.timestep,
            noise: noise,
            noiseSeed: noiseSeed,
            phases: phases ?? self.phases
        )
    }

    /// Noises the runs of an image: x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise.
    package static func noise(
        _ image: inout [Float],
        runs: [Range<Int>],
        field: [Float],
        signalScale: Float,
        noiseScale: Float
    ) {
        var span = image.mutableSpan
        noise(&span, runs: runs, field: field, signalScale: signalScale, noiseScale: noiseScale)
    }

    /// The same where the image lies.
    static func noise(
        _ image: inout MutableSpan<Float>,
        runs: [Range<Int>],
        field: [Float],
        signalScale: Float,
        noiseScale: Float
    ) {
        let pixels = 0..<min(image.count, field.count)
        unsafe image.withUnsafeMutableBufferPointer { image in
            unsafe field.withUnsafeBufferPointer { field in
                for run in runs where !run.isEmpty {
                    precondition(
                        pixels.contains(run.lowerBound) && run.upperBound <= pixels.upperBound,
                        "pixels \(run) of \(pixels)"
                    )
                    guard let image = image.baseAddress, let field = field.baseAddress else { return }
                    unsafe aqc_mix(
                        field + run.lowerBound,
                        image + run.lowerBound,
                        run.count,
                        noiseScale,
                        signalScale
                    )
                }
            }
        }
    }
}
