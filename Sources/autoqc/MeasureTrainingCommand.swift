import ArgumentParser
import Diffusion
import Foundation
import Networks
import Randomness
import Tensors
import Training

struct MeasureTrainingCommand: MeasureGroup {
    static let configuration = CommandConfiguration(
        commandName: "training",
        abstract: "Measure training steps of the realtime network.",
        discussion: """
            A whole step draws and changes crops and keeps an average of the weights. A bare step repeats \
            one batch: forward, loss, backward, Adam. Benchmarks/pytorch compares the bare step with \
            PyTorch.

            Examples:
              autoqc measure training --quick
              autoqc measure training --threads 1
            """
    )

    @OptionGroup var options: MeasureOptions

    static func measure(into measurements: inout Measurements) async throws {
        let options = measurements.options
        let (batch, crop) = (options.trainingBatch, options.quick ? 64 : 192)
        let architecture = try options.architecture()
        try await MeasuredFrames.withFolder { folder in
            let frames = try FrameSet(paths: try MeasuredFrames.write(4, to: folder, options))
            var training = Trainer.Options()
            (training.batch, training.crop, training.architecture) = (batch, crop, architecture)
            let seconds = try wholeSteps(options.count, training, frames)
            try report("training step", seconds, batch: batch, into: &measurements)
        }
        let seconds = bareSteps(options.count, architecture, batch: batch, crop: crop)
        try report("training bare step", seconds, batch: batch, into: &measurements)
    }

    private static func report(
        _ name: String,
        _ seconds: [Double],
        batch: Int,
        into measurements: inout Measurements
    ) throws {
        try measurements.add(name, seconds.map { 1000 * $0 }, unit: "ms")
        try measurements.add("\(name) rate", seconds.map { 1 / $0 }, unit: "steps/s")
        try measurements.add("\(name) crops", seconds.map { Double(batch) / $0 }, unit: "crops/s")
    }

    private static func wholeSteps(
        _ count: Int,
        _ options: Trainer.Options,
        _ frames: FrameSet
    ) throws -> [Double] {
        try steps(
            of: Trainer(options: options, frames: frames, diffusion: MeasuredFrames.diffusion),
            count: count
        ).map(\.wall)
    }

    /// Durations of each of some steps of a training.
    static func steps(of trainer: Trainer, count: Int) throws -> [Measurements.Duration] {
        var ends: [Measurements.Moment] = []
        // The first step makes plans and buffers, and the noise.
        try trainer.run(report: { _ in ends.append(.now) }, shouldStop: { ends.count > count })
        return zip(ends, ends.dropFirst()).map { $1.since($0) }
    }

    private static func bareSteps(
        _ count: Int,
        _ architecture: RealtimeUNet.Architecture,
        batch: Int,
        crop: Int
    ) -> [Double] {
        var random = SplitMix64(state: 1)
        let network = RealtimeUNet(architecture, using: &random)
        let parameters = network.parameters.map(\.variable)
        var adam = Adam(shapes: parameters.map(\.shape))
        let pixels = (0..<batch * crop * crop).map { _ in random.nextUniform() * 2 - 1 }
        let noisy = Variable(constant: Tensor(pixels, shape: [batch, crop, crop, 1]))
        // Every second patch counts.
        let phases = MeasuredFrames.diffusion.phases
        var weights = [Float](repeating: 0, count: crop * crop)
        for run in phases.noisedRuns(height: crop, width: crop, phase: 0) {
            for pixel in run { weights[pixel] = 1 }
        }
        weights = (0..<batch).flatMap { _ in weights }
        let clean = pixels.map { 0.5 * ($0 + 1) }
        return Measurements.seconds(count) {
            let prediction = network(noisy, timesteps: (0..<batch).map { 10 * $0 })
            let cost = loss(of: prediction, clean: clean, weights: weights)
            let found = gradients(of: cost, with: parameters).map(\.value)
            adam.update(parameters, gradients: found, learningRate: 1e-4)
        }
    }

    /// 0.5 DSSIM + 0.5 |difference| on the weighted pixels.
    private static func loss(of prediction: Variable, clean: [Float], weights: [Float]) -> Variable {
        let shape = prediction.shape
        let loss = StructuralLoss.half.valueAndGradient(
            input: clean,
            reconstruction: prediction.value.values.map { 0.5 * ($0 + 1) },
            count: shape[0],
            height: shape[1],
            width: shape[2],
            weights: weights
        )
        return Variable(value: Tensor([loss.value], shape: []), inputs: [prediction]) { _ in
            [Variable(constant: Tensor(loss.gradient.map { 0.5 * $0 }, shape: shape))]
        }
    }
}
