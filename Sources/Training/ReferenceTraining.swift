package import Diffusion

/// What a training of the `reference` profile is told; the defaults are the published ones.
package struct ReferenceTraining: Sendable, Equatable, Codable {
    /// The method.
    package var method: Method
    /// Network, window and noise.
    package var settings: ReferenceSettings
    /// How the model compares input and reconstruction.
    package var residual = Residual.l1DSSIM
    /// Steps in all.
    package var steps: Int
    /// Crops per step.
    package var batch: Int
    /// Learning rate of Adam, the same throughout.
    package var learningRate: Float = 1e-4
    /// Seed of everything drawn at random.
    package var seed: UInt64 = 1
    /// Steps between two looks at the validation frames, of which the best one's weights are kept.
    package var validationInterval: Int

    /// Published epochs.
    package static let epochs = 300

    /// A training of so many epochs over so many frames.
    package init(
        method: Method,
        settings: ReferenceSettings,
        frames: Int,
        epochs: Int = Self.epochs,
        batch: Int = 8
    ) {
        precondition(frames > 0 && epochs > 0 && batch > 0, "\(epochs) epochs of \(frames) in \(batch)")
        let stepsPerEpoch = (frames + batch - 1) / batch
        self.init(
            method: method,
            settings: settings,
            frames: frames,
            steps: epochs * stepsPerEpoch,
            batch: batch
        )
    }

    /// A training of so many steps.
    ///
    /// It looks at the validation frames after every epoch; in short trainings more often, with few frames more seldom.
    package init(method: Method, settings: ReferenceSettings, frames: Int, steps: Int, batch: Int = 8) {
        precondition(frames > 0 && steps > 0 && batch > 0, "\(steps) steps of \(batch) of \(frames)")
        self.method = method
        self.settings = settings
        self.steps = steps
        self.batch = batch
        let stepsPerEpoch = (frames + batch - 1) / batch
        validationInterval = min(max(stepsPerEpoch, 50), max(steps / 10, 1))
    }

    /// What cannot be trained, in words; `nil` if everything can.
    package var fault: String? {
        if let fault = settings.fault(method: method) { return "the model \(fault)" }
        guard steps > 0, (1...1024).contains(batch), validationInterval > 0 else {
            return "\(steps) steps of \(batch) crops cannot be trained"
        }
        guard learningRate > 0, learningRate.isFinite else { return "the learning rate is \(learningRate)" }
        return nil
    }
}
