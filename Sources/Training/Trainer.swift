package import Detection
package import Diffusion
import Foundation
package import Networks
import Tensors

/// Trains a network on normal frames: the `realtime` pDDPM, or pDDPM, DDPM, AE and VAE as published.
package final class Trainer: StepTrainer {
    /// Options of a training of the `realtime` profile.
    package struct Options: StepOptions, Sendable, Equatable, Codable {
        /// Steps in all; with many more a network learns to copy whatever it sees, faults included (docs/realtime-network.md).
        package var steps = 2500
        /// Crops per step.
        package var batch = 8
        /// Pixels per side of a crop.
        package var crop = 192
        /// Peak learning rate.
        package var learningRate: Float = 6e-4
        /// Seed of everything drawn at random.
        package var seed: UInt64 = 1
        /// Width and depth of the network.
        package var architecture = RealtimeUNet.Architecture.standard
        /// Timesteps drawn in training lie below this.
        package var highestTimestep = 100
        /// Steps between two looks at the validation frames.
        package var validationInterval = 100

        /// The defaults.
        package init() {}
    }

    private var state: TrainingState
    private let objective: any TrainingObjective
    private let parameters: [NamedParameter]
    private let trained: [NamedParameter]
    private static let averageDecay: Float = 0.998

    /// Starts a training of the `realtime` profile; without a validation set every tenth frame is held out.
    package convenience init(
        options: Options,
        frames: FrameSet,
        validation: FrameSet? = nil,
        diffusion: PatchedDiffusion
    ) throws(DataError) {
        let plan = TrainingPlan.Realtime(
            options: options,
            normalisation: try frames.normalisation(),
            diffusion: diffusion
        )
        try self.init(starting: .realtime(plan), frames: frames, validation: validation)
    }

    /// Starts a training as published; without a validation set every tenth frame is held out.
    package convenience init(
        reference options: ReferenceTraining,
        frames: FrameSet,
        validation: FrameSet? = nil
    ) throws(DataError) {
        if let fault = options.fault { throw DataError(fault) }
        try self.init(starting: .reference(options), frames: frames, validation: validation)
    }

    init(starting plan: TrainingPlan, frames: FrameSet, validation: FrameSet?) throws(DataError) {
        objective = try plan.objective(FrameSplit(frames, validation: validation))
        parameters = objective.network.parameters
        trained = parameters.filter(\.variable.requiresGradient)
        state = TrainingState(
            plan: plan,
            frameCount: frames.count,
            frameIdentity: frames.identity,
            weights: parameters.map(\.variable.value),
            adam: Adam(shapes: trained.map(\.variable.shape))
        )
    }

    /// Loads finished weights before the first step, and records their validation loss.
    func begin(with weights: [String: Tensor], path: String) throws(DataError) {
        let faults = objective.network.load(weights)
        guard faults.isEmpty else {
            throw DataError("\(path): its weights do not fit: \(faults.prefix(3).joined(separator: "; "))")
        }
        state.kept = parameters.map(\.variable.value)
        let loss = try objective.validationLoss()
        state.history.append(LossRecord(step: 0, loss: loss, validationLoss: loss))
    }

    /// Goes on with a training from its checkpoint, on the same frames.
    package init(
        resuming path: String,
        steps: Int?,
        frames: FrameSet,
        validation: FrameSet? = nil
    ) throws {
        state = try TrainingState(path: path)
        if let steps { state.plan.extend(to: steps) }
        try frames.checkSame(asIn: path, count: state.frameCount, identity: state.frameIdentity)
        objective = try state.plan.objective(FrameSplit(frames, validation: validation))
        parameters = objective.network.parameters
        trained = parameters.filter(\.variable.requiresGradient)
        let shapes = (parameters.map(\.variable.shape), trained.map(\.variable.shape))
        guard [state.weights, state.kept].allSatisfy({ $0.map(\.shape) == shapes.0 }),
            [state.adam.firstMoments, state.adam.secondMoments].allSatisfy({ $0.map(\.shape) == shapes.1 })
        else {
            throw DataError("\(path) does not fit its own architecture; it is damaged, start again")
        }
        for (parameter, value) in zip(parameters, state.weights) { parameter.variable.value = value }
    }

    /// Steps done so far.
    package var step: Int { state.adam.step }
    /// Steps in all.
    package var steps: Int { state.plan.options.steps }
    /// Loss and validation loss over the steps.
    package var history: [LossRecord] { state.history }

    var batch: Int { state.plan.options.batch }

    var isValidated: Bool { step % state.plan.options.validationInterval == 0 || step == steps }

    func meanLoss(adding loss: Float) -> Float { state.recentLosses.mean(adding: loss) }

    func performStep() throws(DataError) -> Float {
        let loss = try objective.loss(step: step)
        let variables = trained.map(\.variable)
        let found = gradients(of: loss, with: variables).map(\.value)
        state.adam.update(variables, gradients: found, learningRate: state.plan.learningRate(at: step))
        if state.plan.averages {
            var average = MovingAverage(state.kept, decay: Self.averageDecay, step: step - 1)
            // Its values must be the only ones, or each step copies them.
            state.kept = []
            average.update(parameters.map(\.variable))
            state.kept = average.values
        }
        return loss.value.scalar
    }

    /// Adds a point to the history; of weights that are not averaged, the best so far are kept.
    func validate(loss: Float) throws(DataError) {
        let current = parameters.map(\.variable.value)
        if state.plan.averages { put(state.kept) }
        defer { put(current) }
        let found = try objective.validationLoss()
        let best = history.compactMap(\.validationLoss).min() ?? .infinity
        // Weights that gave no number are not kept.
        if !state.plan.averages, found < best { state.kept = current }
        state.history.append(LossRecord(step: step, loss: loss, validationLoss: found))
        state.recentLosses = []
    }

    private func put(_ values: [Tensor]) {
        for (parameter, value) in zip(parameters, values) { parameter.variable.value = value }
    }

    /// Writes a checkpoint from which a later training goes on exactly.
    package func writeCheckpoint(path: String) throws {
        state.weights = parameters.map(\.variable.value)
        try state.write(path: path, names: parameters.map(\.name), trained: trained.map(\.name))
    }

    /// The model so far, with averaged weights (`realtime`) or those of the least validation loss, and no thresholds yet.
    package func model(command: String) -> Model {
        let losses = history.compactMap(\.validationLoss)
        let provenance = ModelDescription.Provenance(
            command: command,
            steps: step,
            seed: state.plan.options.seed,
            frames: state.frameCount,
            validationLoss: state.plan.averages ? losses.last : losses.min()
        )
        let values = losses.isEmpty && !state.plan.averages ? parameters.map(\.variable.value) : state.kept
        let weights = Dictionary(uniqueKeysWithValues: zip(parameters.map(\.name), values))
        return Model(description: objective.description(training: provenance), weights: weights)
    }
}

extension TrainingPlan {
    fileprivate func objective(_ frames: FrameSplit) throws(DataError) -> any TrainingObjective {
        switch self {
        case .realtime(let plan): try RealtimeObjective(plan: plan, frames: frames)
        case .reference(let options): try ReferenceObjective(options: options, frames: frames)
        }
    }
}

extension Trainer {
    /// Steps of fine-tuning unless told otherwise: a few minutes on two cores.
    package static let fineTuningSteps = 300
    /// Peak learning rate of fine-tuning unless told otherwise: what is known is to be adapted, not forgotten.
    package static let fineTuningRate: Float = 1e-4

    /// Fine-tunes a finished model of the `realtime` profile on a lab's own frames; `path` is for messages.
    ///
    /// Architecture, normalisation and noise stay the model's. The first point of the history is the model as it was, so that
    /// the last one says whether it helped. Throws for models of the `reference` profile and weights that do not fit.
    package convenience init(
        from model: Model,
        path: String,
        options: Options,
        frames: FrameSet,
        validation: FrameSet? = nil
    ) throws(DataError) {
        guard let settings = model.description.realtime else {
            throw DataError(
                "\(path): only models of the realtime profile can be fine-tuned; continue other trainings with --resume"
            )
        }
        var options = options
        options.architecture = settings.architecture
        let plan = TrainingPlan.Realtime(
            options: options,
            normalisation: settings.normalisation,
            diffusion: settings.diffusion
        )
        try self.init(starting: .realtime(plan), frames: frames, validation: validation)
        try begin(with: model.weights, path: path)
    }
}

/// Makes the trainer of any method.
package enum Trainers {
    /// Starts a training as published; without a validation set every tenth frame is held out.
    package static func start(
        _ options: ReferenceTraining,
        frames: FrameSet,
        validation: FrameSet? = nil
    ) throws(DataError) -> any MethodTrainer {
        options.method == .fanogan
            ? try FAnoGANTrainer(options: options, frames: frames, validation: validation)
            : try Trainer(reference: options, frames: frames, validation: validation)
    }

    /// Goes on with a training of any method and profile from its checkpoint, on the same frames.
    ///
    /// `steps` makes it longer or shorter.
    package static func resume(
        _ path: String,
        steps: Int? = nil,
        frames: FrameSet,
        validation: FrameSet? = nil
    ) throws -> any MethodTrainer {
        FAnoGANState.isCheckpoint(path)
            ? try FAnoGANTrainer(resuming: path, steps: steps, frames: frames, validation: validation)
            : try Trainer(resuming: path, steps: steps, frames: frames, validation: validation)
    }
}

/// A training of one method, step by step; every one can be stopped, stored and resumed exactly.
package protocol MethodTrainer: AnyObject {
    /// Steps done so far.
    var step: Int { get }
    var steps: Int { get }
    /// Loss and validation loss over the steps.
    var history: [LossRecord] { get }

    /// Trains until all steps are done or `shouldStop` says so; both closures are called after every step.
    func run(report: (TrainingProgress) throws -> Void, shouldStop: () -> Bool) throws

    /// Writes a checkpoint from which a later training goes on exactly.
    func writeCheckpoint(path: String) throws

    /// The model so far, without thresholds; `command` says in its file where it comes from.
    func model(command: String) -> Model
}

/// A trainer whose loop is that of all.
protocol StepTrainer: MethodTrainer {
    var batch: Int { get }
    /// Whether a point of the history is due after the step just done.
    var isValidated: Bool { get }

    func performStep() throws(DataError) -> Float

    /// Notes that a step is done, with its loss; gives the mean since the last point of the history.
    func meanLoss(adding loss: Float) -> Float

    func validate(loss: Float) throws(DataError)
}

extension StepTrainer {
    /// Trains until all steps are done or `shouldStop` says so; `report` and `shouldStop` are called after every step.
    package func run(report: (TrainingProgress) throws -> Void, shouldStop: () -> Bool) throws {
        var clock = StepClock()
        while step < steps, !shouldStop() {
            let loss = try clock.timed { try performStep() }
            guard loss.isFinite else {
                throw DataError(
                    "the loss of step \(step) is not a number: the training diverged; give a lower --learning-rate"
                )
            }
            let mean = meanLoss(adding: loss)
            if isValidated { try validate(loss: mean) }
            let seconds = clock.secondsPerStep
            try report(TrainingProgress(of: self, loss: mean, batch: batch, secondsPerStep: seconds))
        }
    }
}

extension [Float] {
    /// Adds a value; gives the mean of all.
    mutating func mean(adding value: Float) -> Float {
        append(value)
        return reduce(0, +) / Float(count)
    }
}

/// Progress of a training.
package struct TrainingProgress: Sendable {
    /// Steps done.
    package let step: Int
    /// Steps in all.
    package let steps: Int
    /// Mean loss of the last steps.
    package let loss: Float
    /// Last loss on held-out frames.
    package let validationLoss: Float?
    /// Crops per second of the recent steps.
    package let cropsPerSecond: Double
    /// Time left at that speed, in seconds.
    package let secondsLeft: Double

    /// The figures of a trainer whose recent steps took `secondsPerStep` on average.
    init(of trainer: some MethodTrainer, loss: Float, batch: Int, secondsPerStep: Double) {
        (step, steps, self.loss) = (trainer.step, trainer.steps, loss)
        validationLoss = trainer.history.last?.validationLoss
        cropsPerSecond = Double(batch) / secondsPerStep
        secondsLeft = secondsPerStep * Double(trainer.steps - trainer.step)
    }
}

/// The mean duration of the last steps, for the time that is left.
struct StepClock {
    private let clock = ContinuousClock()
    private var durations: [Double] = []
    private static let count = 50

    /// Runs a step and takes its time.
    mutating func timed<Result>(_ step: () throws -> Result) rethrows -> Result {
        let start = clock.now
        let result = try step()
        durations.append((clock.now - start) / .seconds(1))
        if durations.count > Self.count { durations.removeFirst() }
        return result
    }

    /// Mean of the recent steps, in seconds.
    var secondsPerStep: Double { durations.reduce(0, +) / Double(max(durations.count, 1)) }
}
