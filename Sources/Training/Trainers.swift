import Diffusion

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
