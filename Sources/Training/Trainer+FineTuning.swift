package import Detection
import Diffusion

extension Trainer {
    /// Steps of fine-tuning unless told otherwise: a few minutes on two cores.
    package static let fineTuningSteps = 300
    /// Peak learning rate of fine-tuning unless told otherwise: what is known is to be bent, not forgotten.
    package static let fineTuningRate: Float = 1e-4

    /// Goes on from a finished model of the `realtime` profile, to fit it to a lab's own frames; `path` is for messages.
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
                "\(path): only models of the realtime profile can be gone on from; train it with --resume"
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
