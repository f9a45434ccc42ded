package import Detection

/// A training of one method, step by step; every one can be stopped, stored and resumed exactly.
package protocol MethodTrainer: AnyObject {
    /// Steps done so far.
    var step: Int { get }
    /// Steps in all.
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

/// How far a training is.
package struct TrainingProgress: Sendable {
    /// Steps done.
    package let step: Int
    /// Steps in all.
    package let steps: Int
    /// Mean loss of the last steps.
    package let loss: Float
    /// Last loss on held-out frames.
    package let validationLoss: Float?
    /// Crops per second, lately.
    package let cropsPerSecond: Double
    /// Time left at that speed, in seconds.
    package let secondsLeft: Double

    /// Gathers the figures.
    package init(
        step: Int,
        steps: Int,
        loss: Float,
        validationLoss: Float?,
        cropsPerSecond: Double,
        secondsLeft: Double
    ) {
        self.step = step
        self.steps = steps
        self.loss = loss
        self.validationLoss = validationLoss
        self.cropsPerSecond = cropsPerSecond
        self.secondsLeft = secondsLeft
    }

    /// How far a trainer is whose steps take so long, lately.
    init(of trainer: some MethodTrainer, loss: Float, batch: Int, secondsPerStep: Double) {
        self.init(
            step: trainer.step,
            steps: trainer.steps,
            loss: loss,
            validationLoss: trainer.history.last?.validationLoss,
            cropsPerSecond: Double(batch) / secondsPerStep,
            secondsLeft: secondsPerStep * Double(trainer.steps - trainer.step)
        )
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

    /// Seconds a step takes, lately.
    var secondsPerStep: Double { durations.reduce(0, +) / Double(max(durations.count, 1)) }
}
