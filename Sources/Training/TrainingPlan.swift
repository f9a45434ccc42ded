import Diffusion
import Tensors

/// What a training was told, and what the loop needs of it.
enum TrainingPlan: Sendable, Equatable {
    case realtime(Realtime)
    case reference(ReferenceTraining)

    /// What a `realtime` training was told and found.
    struct Realtime: Sendable, Equatable {
        var options: Trainer.Options
        let normalisation: Normalisation
        let diffusion: PatchedDiffusion
    }

    var steps: Int {
        get {
            switch self {
            case .realtime(let plan): plan.options.steps
            case .reference(let options): options.steps
            }
        }
        set {
            switch self {
            case .realtime(var plan):
                plan.options.steps = newValue
                self = .realtime(plan)
            case .reference(var options):
                options.steps = newValue
                self = .reference(options)
            }
        }
    }

    var batch: Int {
        switch self {
        case .realtime(let plan): plan.options.batch
        case .reference(let options): options.batch
        }
    }

    var seed: UInt64 {
        switch self {
        case .realtime(let plan): plan.options.seed
        case .reference(let options): options.seed
        }
    }

    var validationInterval: Int {
        switch self {
        case .realtime(let plan): plan.options.validationInterval
        case .reference(let options): options.validationInterval
        }
    }

    /// Whether the model is the average of the weights lately; it is those of the least validation loss otherwise.
    var averages: Bool {
        if case .realtime = self { true } else { false }
    }

    func learningRate(at step: Int) -> Float {
        switch self {
        case .realtime(let plan):
            LearningRateSchedule(peak: plan.options.learningRate, warmup: 100, steps: steps).rate(at: step)
        case .reference(let options): options.learningRate
        }
    }
}

/// Frames to learn from and frames to choose by.
struct FrameSplit {
    let training: FrameSet
    let validation: FrameSet

    /// Without a validation set every tenth frame is held out.
    init(_ frames: FrameSet, validation: FrameSet?) {
        if let validation {
            (training, self.validation) = (frames, validation)
        } else {
            (training, self.validation) = frames.split(every: 10)
        }
    }
}
