import CKernels
package import Networks

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

    /// The same with another timestep; `nil` for one outside the schedule.
    package func changed(timestep: Int) -> PatchedDiffusion? {
        PatchedDiffusion(
            steps: steps,
            timestep: timestep,
            noise: noise,
            noiseSeed: noiseSeed,
            phases: phases
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

/// Which patches of a frame are noised together, so that few passes cover all of them.
///
/// A frame is a grid of square patches. With two phases every second patch is noised at once, as on a checkerboard; with
/// four, every second one of every second row. Each noised patch keeps clean neighbours, which are its condition.
package struct PatchPhases: Sendable, Equatable, Codable {
    /// Pixels per side of a patch.
    package let patch: Int
    /// Passes that cover the frame: 2 or 4.
    package let count: Int

    /// A division; `nil` for other than 2 or 4 phases or an empty patch.
    package init?(patch: Int, count: Int) {
        guard patch > 0, patch <= 4096, count == 2 || count == 4 else { return nil }
        (self.patch, self.count) = (patch, count)
    }

    /// The phase in which the pixel at a row and column, counted from the grid's origin, is noised.
    package func phase(row: Int, column: Int) -> Int {
        let (i, j) = (row / patch, column / patch)
        return count == 2 ? (i + j) % 2 : i % 2 * 2 + j % 2
    }

    /// The pixels noised in a phase, as runs of consecutive indices of a row-major image.
    ///
    /// `origin` says how far the grid starts above and left of the image, for crops that do not start on a patch.
    package func noisedRuns(
        height: Int,
        width: Int,
        phase: Int,
        origin: (row: Int, column: Int) = (0, 0)
    ) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        runs.reserveCapacity(height * (width / patch + 2) / 2)
        var row = 0
        while row < height {
            // All rows of a patch have the same columns.
            let below = min(row + patch - (row + origin.row) % patch, height)
            let columns = noisedColumns(
                width: width,
                row: row + origin.row,
                phase: phase,
                origin: origin.column
            )
            for line in row..<below {
                for run in columns {
                    runs.append(line * width + run.lowerBound..<line * width + run.upperBound)
                }
            }
            row = below
        }
        return runs
    }

    private func noisedColumns(width: Int, row: Int, phase: Int, origin: Int) -> [Range<Int>] {
        stride(from: -(origin % patch), to: width, by: patch).compactMap { column in
            let start = max(column, 0)
            guard self.phase(row: row, column: start + origin) == phase else { return nil }
            return start..<min(column + patch, width)
        }
    }
}

/// What the `realtime` profile is made of: the network and the phases that keep up with a plate.
package struct RealtimeSettings: Sendable, Equatable, Codable {
    /// Width and depth of the network.
    package var architecture: RealtimeUNet.Architecture
    /// Grey values to the network's scale.
    package var normalisation: Normalisation
    /// Noise, timestep and patches.
    package var diffusion: PatchedDiffusion

    /// Gathers the settings.
    package init(
        architecture: RealtimeUNet.Architecture,
        normalisation: Normalisation,
        diffusion: PatchedDiffusion
    ) {
        self.architecture = architecture
        self.normalisation = normalisation
        self.diffusion = diffusion
    }

    /// What is wrong with settings that were decoded, in words; `nil` if nothing is.
    package var fault: String? {
        let (phases, steps) = (diffusion.phases, diffusion.steps)
        guard
            RealtimeUNet.Architecture(
                unshuffle: architecture.unshuffle,
                channels: architecture.channels,
                blocks: architecture.blocks,
                embedding: architecture.embedding
            ) != nil
        else { return "names an architecture that cannot be built" }
        guard Normalisation(background: normalisation.background, reach: normalisation.reach) != nil else {
            return "has a grey scale of \(normalisation.background) and \(normalisation.reach)"
        }
        guard PatchPhases(patch: phases.patch, count: phases.count) != nil else {
            return "divides frames into \(phases.count) phases of patches of \(phases.patch)"
        }
        guard
            PatchedDiffusion(
                steps: steps,
                timestep: diffusion.timestep,
                noise: diffusion.noise,
                noiseSeed: diffusion.noiseSeed,
                phases: phases
            ) != nil
        else { return "noises at timestep \(diffusion.timestep) of \(steps)" }
        return nil
    }
}
