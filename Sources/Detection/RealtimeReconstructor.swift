import Networks
import Plate
import Randomness
import Tensors

/// Reconstructs whole frames with a trained network at the fixed timestep.
final class RealtimeReconstructor: Reconstructor {
    private let normalisation: Normalisation
    private let diffusion: PatchedDiffusion
    private let network: RealtimeUNet
    private let schedule: DiffusionSchedule
    /// The noise field of the last frame size; made once, as a run has frames of one size.
    private var field: (height: Int, width: Int, values: [Float])?

    init(settings: RealtimeSettings, network: RealtimeUNet) {
        normalisation = settings.normalisation
        diffusion = settings.diffusion
        self.network = network.folded(timestep: settings.diffusion.timestep)
        schedule = DiffusionSchedule(count: settings.diffusion.steps)
    }

    func passes(height: Int, width: Int) -> Int { diffusion.phases.count }

    /// Both images are rescaled from the network's [-1, 1].
    func reconstruction(of frame: Frame, report: (ReconstructionProgress) -> Void) -> Reconstruction {
        let image = normalisation.normalised(frame.pixels)
        let output = reconstruct(image, height: frame.height, width: frame.width)
        let passes = diffusion.phases.count
        report(ReconstructionProgress(done: passes, all: passes, secondsLeft: 0))
        return Reconstruction(
            input: image.map { 0.5 * ($0 + 1) },
            output: output.map { 0.5 * ($0 + 1) },
            height: frame.height,
            width: frame.width
        )
    }

    /// The reconstruction of a normalised image, row-major, height x width.
    private func reconstruct(_ image: [Float], height: Int, width: Int) -> [Float] {
        let multiple = network.architecture.sizeMultiple
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
