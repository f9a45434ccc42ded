import CKernels
import Mathematics
package import Networks
package import Plate
import Randomness
package import Tensors

/// Reconstructs whole frames with a trained network at the fixed timestep, on a lane of its own.
package final class RealtimeReconstructor: Reconstructor {
    private let normalisation: Normalisation
    private let diffusion: PatchedDiffusion
    private let network: RealtimeUNet
    private let precision: Precision
    private let ranges: [ClosedRange<Float>]
    private let schedule: DiffusionSchedule
    private let lane = Compute.Lane()
    /// The noise field of the last frame size; made once, as a run has frames of one size.
    private var field: (height: Int, width: Int, values: [Float])?
    /// The network in bytes for the last frame size.
    private var quantised: (height: Int, width: Int, network: QuantisedRealtimeUNet)?

    /// Takes a folded network; int8 needs the ranges inside it.
    package init(
        settings: RealtimeSettings,
        network: RealtimeUNet,
        precision: Precision,
        ranges: [ClosedRange<Float>]
    ) {
        normalisation = settings.normalisation
        diffusion = settings.diffusion
        self.network = network
        self.precision = precision
        self.ranges = ranges
        schedule = DiffusionSchedule(count: settings.diffusion.steps)
    }

    /// Passes that a frame takes: one a phase.
    package func passes(height: Int, width: Int) -> Int { diffusion.phases.count }

    /// Both images are rescaled from the network's [-1, 1].
    package func reconstruction(
        of frame: Frame,
        patches: PatchSelection = .all,
        report: (ReconstructionProgress) -> Void
    ) -> Reconstruction {
        let (height, width) = (frame.height, frame.width)
        let packing = PackedPatches(patches, of: diffusion.phases, height: height, width: width)
        let phases = (0..<diffusion.phases.count).filter { packing == nil || patches.includes(phase: $0) }
        let image = normalisation.normalised(frame.pixels)
        let output = predicted(image, phases, height: height, width: width)
        report(ReconstructionProgress(done: phases.count, all: phases.count, secondsLeft: 0))
        return Reconstruction(
            input: Self.unitRange(packing?.packed(image) ?? image),
            output: packing?.packed(output) ?? output,
            height: height,
            width: packing?.packedWidth ?? width,
            packing: packing
        )
    }

    /// From [-1, 1] to [0, 1].
    private static func unitRange(_ image: [Float]) -> [Float] {
        unsafe [Float](filling: image.count) { result in
            unsafe aqc_shift_scale(image, result, image.count, -1, 0.5)
        }
    }

    /// The ranges inside the network over all phases of a frame (`RealtimeUNet.ranges`).
    package func ranges(of frame: Frame) -> [ClosedRange<Float>] {
        let image = normalisation.normalised(frame.pixels)
        var ranges: [ClosedRange<Float>] = []
        forEachPhase(0..<diffusion.phases.count, of: image, height: frame.height, width: frame.width) {
            _,
            noisy in
            ranges.unite(with: lane.run { network.ranges(of: noisy) })
        }
        return ranges
    }

    /// What the network makes of a normalised image, row-major, height x width, rescaled to [0, 1]; patches of other phases have
    /// no value.
    private func predicted(_ image: [Float], _ phases: [Int], height: Int, width: Int) -> [Float] {
        unsafe [Float](filling: image.count) { result in
            forEachPhase(phases, of: image, height: height, width: width) { phase, noisy in
                let columns = noisy.shape[2]
                predicted(noisy).withSpan { predicted in
                    unsafe predicted.withUnsafeBufferPointer { predicted in
                        guard let predicted = predicted.baseAddress else { return }
                        // The runs of the frame itself; those of the padded one may reach beyond it.
                        for run in diffusion.phases.noisedRuns(height: height, width: width, phase: phase) {
                            let source = run.lowerBound + run.lowerBound / width * (columns - width)
                            unsafe aqc_shift_scale(
                                predicted + source,
                                result + run.lowerBound,
                                run.count,
                                -1,
                                0.5
                            )
                        }
                    }
                }
            }
        }
    }

    private func predicted(_ noisy: Tensor) -> Tensor {
        lane.run {
            guard precision == .int8 else {
                return precision.run {
                    Recording.off {
                        network(Variable(constant: noisy), timesteps: [diffusion.timestep]).value
                    }
                }
            }
            return quantisedNetwork(height: noisy.shape[1], width: noisy.shape[2])(noisy)
        }
    }

    private func quantisedNetwork(height: Int, width: Int) -> QuantisedRealtimeUNet {
        if let quantised, quantised.height == height, quantised.width == width { return quantised.network }
        let network = QuantisedRealtimeUNet(network, ranges: ranges)
        quantised = (height, width, network)
        return network
    }

    /// Hands out the image of each of some phases with its patches noised, 1 x H x W x 1, padded to a size the network takes.
    private func forEachPhase(
        _ phases: some Sequence<Int>,
        of image: [Float],
        height: Int,
        width: Int,
        _ body: (_ phase: Int, _ noisy: Tensor) -> Void
    ) {
        let multiple = network.architecture.sizeMultiple
        let (rows, columns) = (height.roundedUp(to: multiple), width.roundedUp(to: multiple))
        let padded = Self.padded(image, height: height, width: width, rows: rows, columns: columns)
        let noise = noiseField(height: rows, width: columns)
        for phase in phases {
            var noisy = Tensor(padded, shape: [1, rows, columns, 1])
            noisy.withMutableSpan { noisy in
                PatchedDiffusion.noise(
                    &noisy,
                    runs: diffusion.phases.noisedRuns(height: rows, width: columns, phase: phase),
                    field: noise,
                    signalScale: schedule.signalScale[diffusion.timestep],
                    noiseScale: schedule.noiseScale[diffusion.timestep]
                )
            }
            body(phase, noisy)
        }
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
