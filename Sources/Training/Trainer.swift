public import Detection
import Foundation
public import Networks
import Randomness
import Tensors

/// Trains a `realtime` pDDPM on normal frames.
public final class Trainer {
    /// What a training is told.
    public struct Options: Sendable, Equatable, Codable {
        /// Steps in all.
        public var steps = 6000
        /// Crops per step.
        public var batch = 8
        /// Pixels per side of a crop.
        public var crop = 192
        /// Peak learning rate.
        public var learningRate: Float = 6e-4
        /// Seed of everything drawn at random.
        public var seed: UInt64 = 1
        /// Width and depth of the network.
        public var architecture = RealtimeUNet.Architecture.standard
        /// Timesteps drawn in training lie below this.
        public var highestTimestep = 100
        /// Steps between two looks at the validation frames.
        public var validationInterval = 100

        /// The defaults.
        public init() {}
    }

    /// How far a training is.
    public struct Progress: Sendable {
        /// Steps done.
        public let step: Int
        /// Steps in all.
        public let steps: Int
        /// Mean loss of the last steps.
        public let loss: Float
        /// Last loss on held-out frames, with averaged weights at the test timestep.
        public let validationLoss: Float?
        /// Crops per second, lately.
        public let cropsPerSecond: Double
        /// Time left at that speed, in seconds.
        public let secondsLeft: Double
    }

    private var state: TrainingState
    private let network: RealtimeUNet
    private let variables: [Variable]
    private var sampler: BatchSampler
    private var validation: BatchSampler
    private let schedule: LearningRateSchedule

    private static let averageDecay: Float = 0.998
    private static let validationBatches = 3

    /// Starts a training on a set of frames, every tenth of which is held out for validation.
    public convenience init(
        options: Options,
        frames: FrameSet,
        diffusion: PatchedDiffusion
    ) throws(DataError) {
        guard let normalisation = Normalisation(sample: try frames.sample()) else {
            throw DataError("all frames are blank: every pixel has the same grey value")
        }
        var random = SplitMix64(state: options.seed)
        let network = RealtimeUNet(options.architecture, using: &random)
        let values = network.parameters.map(\.variable.value)
        let state = TrainingState(
            options: options,
            normalisation: normalisation,
            diffusion: diffusion,
            frameCount: frames.count,
            weights: values,
            average: MovingAverage(values, decay: Self.averageDecay),
            adam: Adam(shapes: values.map(\.shape)),
            history: []
        )
        try self.init(state: state, network: network, frames: frames)
    }

    /// Goes on with a training from its checkpoint, on the same frames.
    public convenience init(resuming path: String, steps: Int?, frames: FrameSet) throws {
        var state = try TrainingState(path: path)
        if let steps { state.options.steps = steps }
        guard state.frameCount == frames.count else {
            throw DataError(
                "\(path) was trained on \(state.frameCount) frames, now there are \(frames.count); "
                    + "resume with the same frames or start anew"
            )
        }
        var random = SplitMix64(state: state.options.seed)
        let network = RealtimeUNet(state.options.architecture, using: &random)
        let expected = network.parameters.map(\.variable.shape)
        for group in [state.weights, state.average.values, state.adam.firstMoments, state.adam.secondMoments]
        where group.map(\.shape) != expected {
            throw DataError("\(path) does not fit its own architecture; it is damaged, start anew")
        }
        try self.init(state: state, network: network, frames: frames)
    }

    private init(state: TrainingState, network: RealtimeUNet, frames: FrameSet) throws(DataError) {
        let options = state.options
        guard min(frames.height, frames.width) >= options.crop else {
            throw DataError(
                "frames of \(frames.width) x \(frames.height) are smaller than the crops of \(options.crop)"
            )
        }
        self.state = state
        self.network = network
        variables = network.parameters.map(\.variable)
        for (variable, value) in zip(variables, state.weights) { variable.value = value }
        let (training, held) = frames.split(every: 10)
        sampler = BatchSampler(
            frames: training,
            normalisation: state.normalisation,
            diffusion: state.diffusion,
            timesteps: 0..<options.highestTimestep,
            crop: options.crop,
            augments: true,
            seed: options.seed
        )
        let test = state.diffusion.timestep
        validation = BatchSampler(
            frames: held,
            normalisation: state.normalisation,
            diffusion: state.diffusion,
            timesteps: test..<test + 1,
            crop: options.crop,
            augments: false,
            seed: ~options.seed
        )
        schedule = LearningRateSchedule(peak: options.learningRate, warmup: 100, steps: options.steps)
    }

    /// Steps done so far.
    public var step: Int { state.adam.step }
    /// Loss and validation loss over the steps.
    public var history: [LossRecord] { state.history }

    /// Trains until all steps are done or `shouldStop` says so; `report` and `shouldStop` are called after every step.
    public func run(report: (Progress) throws -> Void, shouldStop: () -> Bool) throws {
        var durations: [Double] = []
        let clock = ContinuousClock()
        while step < state.options.steps, !shouldStop() {
            let start = clock.now
            state.recentLosses.append(try takeStep())
            durations.append((clock.now - start) / .seconds(1))
            if durations.count > 50 { durations.removeFirst() }
            let mean = state.recentLosses.reduce(0, +) / Float(state.recentLosses.count)
            let isMilestone = step % state.options.validationInterval == 0 || step == state.options.steps
            if isMilestone {
                state.history.append(LossRecord(step: step, loss: mean, validationLoss: try validationLoss()))
                state.recentLosses = []
            }
            let seconds = durations.reduce(0, +) / Double(durations.count)
            try report(
                Progress(
                    step: step,
                    steps: state.options.steps,
                    loss: mean,
                    validationLoss: state.history.last?.validationLoss,
                    cropsPerSecond: Double(state.options.batch) / seconds,
                    secondsLeft: seconds * Double(state.options.steps - step)
                )
            )
        }
    }

    private func takeStep() throws(DataError) -> Float {
        let batch = try sampler.batch(step: step, count: state.options.batch)
        let loss = PatchLoss.of(predict(batch), batch: batch)
        let found = gradients(of: loss, with: variables).map(\.value)
        state.adam.update(variables, gradients: found, learningRate: schedule.rate(at: step))
        state.average.update(variables)
        return loss.value.scalar
    }

    private func predict(_ batch: BatchSampler.Batch) -> Variable {
        let (count, crop) = (batch.timesteps.count, state.options.crop)
        let noisy = Variable(constant: Tensor(batch.noisy, shape: [count, crop, crop, 1]))
        return network(noisy, timesteps: batch.timesteps)
    }

    /// The loss on held-out frames with averaged weights, always over the same crops and noise.
    private func validationLoss() throws(DataError) -> Float {
        let current = variables.map(\.value)
        for (variable, value) in zip(variables, state.average.values) { variable.value = value }
        defer { for (variable, value) in zip(variables, current) { variable.value = value } }
        var total: Float = 0
        for index in 0..<Self.validationBatches {
            let batch = try validation.batch(step: index, count: state.options.batch)
            total += Recording.off { PatchLoss.of(predict(batch), batch: batch).value.scalar }
        }
        return total / Float(Self.validationBatches)
    }

    /// Writes a checkpoint from which a later training goes on exactly.
    public func writeCheckpoint(path: String) throws {
        state.weights = variables.map(\.value)
        try state.write(path: path, names: network.parameters.map(\.name))
    }

    /// The model so far, with averaged weights and no thresholds yet.
    public func model(command: String) -> Model {
        let names = network.parameters.map(\.name)
        let description = ModelDescription(
            realtime: RealtimeSettings(
                architecture: state.options.architecture,
                normalisation: state.normalisation,
                diffusion: state.diffusion
            ),
            residual: .l1DSSIM,
            training: ModelDescription.Provenance(
                command: command,
                steps: step,
                seed: state.options.seed,
                frames: state.frameCount,
                validationLoss: state.history.last?.validationLoss
            )
        )
        let weights = Dictionary(uniqueKeysWithValues: zip(names, state.average.values))
        return Model(description: description, weights: weights)
    }
}
