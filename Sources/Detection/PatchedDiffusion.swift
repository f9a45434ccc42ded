import Networks
import Randomness
import Tensors

/// The patched diffusion of the `realtime` profile: one pass at a fixed timestep for each phase.
///
/// Some patches are noised, the rest stay clean as their condition, the network predicts the clean image,
/// and the predicted patches are kept (pDDPM, Behrendt et al. 2023; phases instead of windows).
public struct PatchedDiffusion: Sendable, Equatable, Codable {
    /// Steps of the cosine schedule.
    public let steps: Int
    /// The fixed timestep at test, an index into the schedule.
    public let timestep: Int
    /// Kind of noise.
    public let noise: NoiseKind
    /// Seed of the noise field at test.
    public let noiseSeed: UInt64
    /// How the frame is divided.
    public let phases: PatchPhases

    /// Gathers the constants; `nil` for a timestep outside the schedule.
    public init?(steps: Int = 1000, timestep: Int, noise: NoiseKind, noiseSeed: UInt64, phases: PatchPhases) {
        guard (2...100_000).contains(steps), (0..<steps).contains(timestep) else { return nil }
        (self.steps, self.timestep, self.noise) = (steps, timestep, noise)
        (self.noiseSeed, self.phases) = (noiseSeed, phases)
    }

    /// Noises the runs of an image: x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise.
    public static func noise(
        _ image: inout [Float],
        runs: [Range<Int>],
        field: [Float],
        signalScale: Float,
        noiseScale: Float
    ) {
        for run in runs {
            for index in run { image[index] = signalScale * image[index] + noiseScale * field[index] }
        }
    }
}

/// Reconstructs whole frames with a trained network at the fixed timestep.
final class FrameReconstructor {
    private let diffusion: PatchedDiffusion
    private let network: RealtimeUNet
    private let schedule: DiffusionSchedule
    /// The noise field of the last frame size; made once, as a run has frames of one size.
    private var field: (height: Int, width: Int, values: [Float])?

    init(diffusion: PatchedDiffusion, network: RealtimeUNet) {
        self.diffusion = diffusion
        self.network = network.folded(timestep: diffusion.timestep)
        schedule = DiffusionSchedule(count: diffusion.steps)
    }

    /// The reconstruction of a normalised image, row-major, height x width.
    func reconstruct(_ image: [Float], height: Int, width: Int) -> [Float] {
        let multiple = RealtimeUNet.sizeMultiple
        let (rows, columns) = (height.roundedUp(to: multiple), width.roundedUp(to: multiple))
        let padded = Self.padded(image, height: height, width: width, rows: rows, columns: columns)
        let noise = noiseField(height: rows, width: columns)
        var result = image
        for phase in 0..<diffusion.phases.count {
            var noisy = padded
            PatchedDiffusion.noise(
                &noisy,
                runs: diffusion.phases.noisedRuns(height: rows, width: columns, phase: phase),
                field: noise,
                signalScale: schedule.signalScale[diffusion.timestep],
                noiseScale: schedule.noiseScale[diffusion.timestep]
            )
            let predicted = Recording.off {
                network(
                    Variable(constant: Tensor(noisy, shape: [1, rows, columns, 1])),
                    timesteps: [diffusion.timestep]
                )
            }
            // The runs of the frame itself; those of the padded one may reach beyond it.
            let kept = diffusion.phases.noisedRuns(height: height, width: width, phase: phase)
            predicted.value.withSpan { span in
                for run in kept {
                    let shift = run.lowerBound / width * (columns - width)
                    for index in run { result[index] = span[index + shift] }
                }
            }
        }
        return result
    }

    private func noiseField(height: Int, width: Int) -> [Float] {
        if let field, field.height == height, field.width == width { return field.values }
        var generator = SplitMix64(state: diffusion.noiseSeed)
        let values = diffusion.noise.field(height: height, width: width, using: &generator)
        field = (height, width, values)
        return values
    }

    /// Repeats the last row and column up to a size the network takes.
    private static func padded(
        _ image: [Float],
        height: Int,
        width: Int,
        rows: Int,
        columns: Int
    ) -> [Float] {
        guard rows != height || columns != width else { return image }
        var result: [Float] = []
        result.reserveCapacity(rows * columns)
        for row in 0..<rows {
            let start = min(row, height - 1) * width
            result += image[start..<start + width]
            result += repeatElement(image[start + width - 1], count: columns - width)
        }
        return result
    }
}

extension Int {
    /// The smallest multiple of `step` that is not below this number.
    func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }
}
