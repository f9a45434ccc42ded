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
package final class FAnoGANTrainer: StepTrainer {
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
        let state = FAnoGANState(
            options,
            frameCount: frames.count,
            frameIdentity: frames.identity,
            optimisers: optimisers
        )
        self.init(state: state, networks: networks, frames: FrameSplit(frames, validation: validation))
    }

    /// Goes on with a training from its checkpoint, on the same frames.
    ///
    /// Another number of steps moves the end of the current stage; a finished stage stays as it is.
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
            throw DataError("\(path) does not fit its own architecture; it is damaged, start again")
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

    var batch: Int { state.options.batch }

    var isValidated: Bool {
        step % state.options.validationInterval == 0 || step == state.adversarialSteps || step == steps
    }

    func meanLoss(adding loss: Float) -> Float {
        state.step += 1
        return state.recentLosses.mean(adding: loss)
    }

    func performStep() throws(DataError) -> Float {
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
    func validate(loss: Float) throws(DataError) {
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
        for some in crops.chunks(of: state.options.batch) {
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

enum FAnoGANLoss {
    private static let penaltyWeight: Float = 10
    private static let featureWeight: Float = 1

    /// The loss of a Wasserstein critic with gradient penalty.
    ///
    /// Gulrajani et al. 2017, algorithm 1. Images are N x S x S x 1; `shares`, N in [0, 1], say how much of
    /// the real image is in the one at which the slope is taken. Three passes, each by the statistics of its
    /// own batch. The total is mean D(fake) - mean D(real) + 10 x penalty, with the penalty mean (|grad D| - 1)^2 between
    /// the real images and the fake ones.
    static func critic(
        _ discriminator: FAnoGAN.Discriminator,
        real: Tensor,
        fake: Tensor,
        shares: [Float],
        dropout: ChannelDropout? = nil
    ) -> (total: Variable, penalty: Variable) {
        func judged(_ images: Variable) -> Variable {
            discriminator(images, mode: .training, dropout: dropout)
        }
        let distance = judged(Variable(constant: fake)).mean() - judged(Variable(constant: real)).mean()
        let between = Variable(parameter: mixed(real, fake, shares: shares))
        let slope = gradients(of: judged(between).sum(), with: [between], differentiable: true)[0]
        let excess = norms(slope).affine(scale: 1, shift: -1)
        let penalty = (excess * excess).mean()
        return (distance + penalty.affine(scale: penaltyWeight), penalty)
    }

    /// The generator's objective: -mean D(fake), with the discriminator unchanged.
    static func generator(
        _ networks: FAnoGAN,
        latent: Tensor,
        dropout: ChannelDropout? = nil
    ) -> Variable {
        let fake = networks.generator(Variable(constant: latent), mode: .training)
        return networks.discriminator(fake, mode: .training, dropout: dropout).mean().affine(scale: -1)
    }

    /// The loss 'izi_f': an image, its reconstruction from its latent vector, and what the discriminator sees
    /// in both.
    ///
    /// Schlegl et al. 2019, equation 3, with DSSIM in place of the squared difference of pixels. Images are N
    /// x S x S x 1 in [0, 1]. Generator and discriminator keep their running statistics; `mode` and `dropout`
    /// are the encoder's. The total is structure (mean DSSIM) + 1.0 x features (mean squared difference of the
    /// discriminator's features of both).
    static func encoding(
        _ networks: FAnoGAN,
        images: Tensor,
        mode: NormalisationMode,
        dropout: ChannelDropout? = nil
    ) -> (total: Variable, structure: Variable, features: Variable) {
        let input = Variable(constant: images)
        let latent = networks.encoder(input, mode: mode, dropout: dropout)
        let reconstruction = networks.generator(latent, mode: .evaluation)
        let structure = dissimilarity(images, reconstruction)
        let seen = Recording.off { networks.discriminator.features(input, mode: .evaluation) }
        let difference = networks.discriminator.features(reconstruction, mode: .evaluation) - seen
        let features = (difference * difference).mean()
        return (structure + features.affine(scale: featureWeight), structure, features)
    }

    /// share x real + (1 - share) x fake, a share an image.
    private static func mixed(_ real: Tensor, _ fake: Tensor, shares: [Float]) -> Tensor {
        precondition(shares.count == real.shape[0], "\(shares.count) shares for images \(real.shape)")
        let share = Variable(constant: Tensor(shares, shape: [shares.count, 1]))
        let rest = share.affine(scale: -1, shift: 1)
        return Recording.off {
            (Variable(constant: real).scalingChannels(share)
                + Variable(constant: fake).scalingChannels(rest)).value
        }
    }

    /// The Euclidean norm of each image, N x 1.
    private static func norms(_ images: Variable) -> Variable {
        let (count, height, width) = (images.shape[0], images.shape[1], images.shape[2])
        // Columns take the place of channels: sums over rows, then over columns, are shorter and so more exact.
        let columns = images.reshaped([count, height, 1, width])
        let ones = Variable(constant: Tensor(repeating: 1, shape: [width, 1]))
        // The root's slope at 0 is infinite; this keeps it finite and changes nothing that a float shows.
        return columns.dotOverPixels(columns).multiplied(by: ones).affine(scale: 1, shift: 1e-12).power(0.5)
    }

    /// The mean DSSIM, which can be differentiated once with respect to the reconstruction.
    private static func dissimilarity(_ images: Tensor, _ reconstruction: Variable) -> Variable {
        let (count, height, width) = (images.shape[0], images.shape[1], images.shape[2])
        let loss = StructuralLoss(structure: 1, absolute: 0).valueAndGradient(
            input: images.values,
            reconstruction: reconstruction.value.values,
            count: count,
            height: height,
            width: width
        )
        return Variable(value: Tensor([loss.value], shape: []), inputs: [reconstruction]) { upstream in
            let gradient = Variable(constant: Tensor(loss.gradient, shape: reconstruction.shape))
            return [gradient.affine(scale: upstream.value.scalar)]
        }
    }
}
