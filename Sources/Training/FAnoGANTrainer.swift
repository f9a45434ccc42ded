package import Detection
import Diffusion
import Networks
import Randomness
import Tensors

/// Trains f-AnoGAN as published, in two stages of half the steps each.
///
/// First a Wasserstein GAN with gradient penalty: the discriminator at every step, the generator at every
/// fifth. Then the encoder, with generator and discriminator frozen; the encoder of the least loss on
/// held-out frames is kept. Images are in [0, 1], as in the published system; the generator's tanh learns
/// that half of its range. Adam has betas 0.5 and 0.999.
package final class FAnoGANTrainer: MethodTrainer {
    private var state: FAnoGANState
    private let networks: FAnoGAN
    private let crops: CropSet
    private let held: CropSet
    /// Steps of the discriminator for one of the generator.
    private static let generatorInterval = 5
    private static let validationCrops = 32

    /// Starts a training; without a validation set every tenth frame is held out.
    package convenience init(
        options: ReferenceTraining,
        frames: FrameSet,
        validation: FrameSet? = nil
    ) throws(DataError) {
        let networks = try Self.networks(options)
        let optimisers = FAnoGANState.Optimisers(
            generator: FAnoGANState.adam(networks.generator),
            discriminator: FAnoGANState.adam(networks.discriminator),
            encoder: FAnoGANState.adam(networks.encoder)
        )
        var state = FAnoGANState(
            options: options,
            frameCount: frames.count,
            weights: [:],
            optimisers: optimisers
        )
        state.frameIdentity = frames.identity
        self.init(state: state, networks: networks, frames: FrameSplit(frames, validation: validation))
    }

    /// Goes on with a training from its checkpoint, on the same frames.
    ///
    /// Another number of steps moves the end of the stage at hand, not that of a finished one.
    package convenience init(
        resuming path: String,
        steps: Int?,
        frames: FrameSet,
        validation: FrameSet? = nil
    ) throws {
        var state = try FAnoGANState(path: path)
        try frames.checkSame(asIn: path, count: state.frameCount, identity: state.frameIdentity)
        let networks = try Self.networks(state.options)
        guard networks.load(state.weights).isEmpty, state.fits(networks) else {
            throw DataError("\(path) does not fit its own architecture; it is damaged, start anew")
        }
        state.weights = [:]
        if let steps { state.extend(to: steps) }
        self.init(state: state, networks: networks, frames: FrameSplit(frames, validation: validation))
    }

    private init(state: FAnoGANState, networks: FAnoGAN, frames: FrameSplit) {
        (self.state, self.networks) = (state, networks)
        crops = CropSet(frames: frames.training, settings: state.options.settings)
        held = CropSet(frames: frames.validation, settings: state.options.settings)
    }

    private static func networks(_ options: ReferenceTraining) throws(DataError) -> FAnoGAN {
        if let fault = options.fault { throw DataError(fault) }
        guard case .fanogan(let configuration) = options.settings.network else {
            throw DataError("the method \(options.method.rawValue) is not trained as an f-AnoGAN")
        }
        guard configuration.imageSize > 16 else {
            throw DataError(
                "f-AnoGAN learns from windows of 32 and more, not of \(configuration.imageSize): "
                    + "its batch normalisation needs more than one value"
            )
        }
        var random = SplitMix64(state: options.seed)
        return FAnoGAN(configuration, using: &random)
    }

    /// Steps done so far, in both stages.
    package var step: Int { state.step }
    /// Steps of both stages.
    package var steps: Int { state.options.steps }
    /// Loss of the discriminator, later of the encoder, and the encoder's on held-out frames.
    package var history: [LossRecord] { state.history }

    /// Trains until all steps are done or `shouldStop` says so; `report` and `shouldStop` are called after
    /// every step.
    package func run(report: (TrainingProgress) throws -> Void, shouldStop: () -> Bool) throws {
        var clock = StepClock()
        while step < steps, !shouldStop() {
            state.recentLosses.append(try clock.timed { try takeStep() })
            state.step += 1
            let mean = state.recentLosses.reduce(0, +) / Float(state.recentLosses.count)
            if step % state.options.validationInterval == 0 || step == state.adversarialSteps || step == steps
            {
                try validate(loss: mean)
            }
            try report(
                TrainingProgress(
                    of: self,
                    loss: mean,
                    batch: state.options.batch,
                    secondsPerStep: clock.secondsPerStep
                )
            )
        }
    }

    private func takeStep() throws(DataError) -> Float {
        let images = tensor(
            try crops.batch(step: step, count: state.options.batch, seed: state.options.seed)
        )
        let random = SplitMix64(state: state.options.seed &+ UInt64(step &+ 1) &* 0xD1B5_4A32_D192_ED03)
        return step < state.adversarialSteps
            ? adversarialStep(images, random: random) : encodingStep(images, random: random)
    }

    private func adversarialStep(_ real: Tensor, random start: SplitMix64) -> Float {
        var random = start
        let (count, length) = (real.shape[0], networks.configuration.latent)
        let latent = Tensor((0..<count * length).map { _ in random.nextGaussian() }, shape: [count, length])
        let shares = (0..<count).map { _ in random.nextUniform() }
        let dropout = ChannelDropout(using: random)
        let fake = Recording.off { networks.generator(Variable(constant: latent), mode: .training).value }
        let loss = FAnoGANLoss.critic(
            networks.discriminator,
            real: real,
            fake: fake,
            shares: shares,
            dropout: dropout
        ).total
        move(networks.discriminator, by: loss, \.discriminator)
        if (step + 1) % Self.generatorInterval == 0 {
            let opposed = FAnoGANLoss.generator(networks, latent: latent, dropout: dropout)
            move(networks.generator, by: opposed, \.generator)
        }
        return loss.value.scalar
    }

    private func encodingStep(_ images: Tensor, random: SplitMix64) -> Float {
        // The first stage is over; its moments are the larger part of a checkpoint.
        (state.optimisers.generator, state.optimisers.discriminator) = (FAnoGANState.idle, FAnoGANState.idle)
        let dropout = ChannelDropout(using: random)
        let loss = FAnoGANLoss.encoding(networks, images: images, mode: .training, dropout: dropout).total
        move(networks.encoder, by: loss, \.encoder)
        return loss.value.scalar
    }

    private func move(
        _ network: any Network,
        by loss: Variable,
        _ optimiser: WritableKeyPath<FAnoGANState.Optimisers, Adam>
    ) {
        let variables = network.parameters.map(\.variable).filter(\.requiresGradient)
        let found = gradients(of: loss, with: variables).map(\.value)
        state.optimisers[keyPath: optimiser].update(
            variables,
            gradients: found,
            learningRate: state.options.learningRate
        )
    }

    /// Adds a point to the history; in the second stage the best encoder so far is kept.
    private func validate(loss: Float) throws(DataError) {
        var found: Float?
        if step > state.adversarialSteps {
            let validation = try validationLoss()
            let best = history.compactMap(\.validationLoss).min() ?? .infinity
            // An encoder that gave no number is not kept.
            if validation < best { state.kept = networks.encoder.weights }
            found = validation
        }
        state.history.append(LossRecord(step: step, loss: loss, validationLoss: found))
        state.recentLosses = []
    }

    /// The encoder's loss by running statistics on held-out frames, always the same ones.
    private func validationLoss() throws(DataError) -> Float {
        let crops = try held.spread(Self.validationCrops)
        var total: Float = 0
        for start in stride(from: 0, to: crops.count, by: state.options.batch) {
            let some = crops[start..<min(start + state.options.batch, crops.count)]
            let images = tensor(some.flatMap { $0 })
            let loss = Recording.off {
                FAnoGANLoss.encoding(networks, images: images, mode: .evaluation).total.value.scalar
            }
            total += loss * Float(some.count)
        }
        return total / Float(crops.count)
    }

    private func tensor(_ pixels: [Float]) -> Tensor {
        Tensor(pixels, shape: [pixels.count / (crops.size * crops.size), crops.size, crops.size, 1])
    }

    /// Writes a checkpoint from which a later training goes on exactly.
    package func writeCheckpoint(path: String) throws {
        var state = state
        state.weights = networks.weights
        try state.write(path: path, networks: networks)
    }

    /// The model so far, with the encoder of the least validation loss, and no thresholds yet.
    package func model(command: String) -> Model {
        let provenance = ModelDescription.Provenance(
            command: command,
            steps: step,
            seed: state.options.seed,
            frames: state.frameCount,
            validationLoss: history.compactMap(\.validationLoss).min()
        )
        let description = ModelDescription(
            method: state.options.method,
            reference: state.options.settings,
            residual: state.options.residual,
            training: provenance
        )
        var weights = networks.weights
        for (name, value) in state.kept { weights["E.\(name)"] = value }
        return Model(description: description, weights: weights)
    }
}

extension Network {
    /// The weights by name, in our layout.
    fileprivate var weights: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.variable.value) })
    }
}
