import Detection
import Diffusion
import Networks
import Randomness
import Tensors

/// The published training of pDDPM, DDPM, AE and VAE on [-1, 1] images.
///
/// One noise field a batch. pDDPM noises one patch of the grid a window, drawn at random, and DDPM the whole window, both
/// at a timestep drawn from the whole schedule; AE and VAE noise the whole window at their fixed timestep. The VAE adds
/// the divergence from a standard normal distribution, summed over batch and latent vector, unscaled. Validation uses the
/// noise field and the timestep of the test, so that what is kept is what reconstructs best there.
final class ReferenceObjective: TrainingObjective {
    private let options: ReferenceTraining
    private let built: ReferenceNetwork
    private let training: CropSet
    private let validation: CropSet
    private let schedule: DiffusionSchedule
    private let patches: [[Range<Int>]]

    /// More validation crops than this tell no more.
    private static let validationLimit = 64

    init(options: ReferenceTraining, frames: FrameSplit) throws(DataError) {
        guard options.method != .fanogan else { throw DataError("f-AnoGAN has a training of its own") }
        self.options = options
        var random = SplitMix64(state: options.seed)
        built = ReferenceNetwork(options.settings.network, using: &random)
        training = CropSet(frames: frames.training, settings: options.settings)
        validation = CropSet(frames: frames.validation, settings: options.settings)
        schedule = DiffusionSchedule(count: options.settings.steps)
        patches = options.settings.patches
    }

    var network: any Network { built.network }

    func loss(step: Int) throws(DataError) -> Variable {
        let crops = try training.batch(step: step, count: options.batch, seed: options.seed)
        var random = SplitMix64(state: options.seed &+ UInt64(step &+ 1) &* 0xD1B5_4A32_D192_ED03)
        let field = options.settings.noiseField(seed: random.next())
        let count = crops.count / (training.size * training.size)
        let drawsTimestep = options.method == .pddpm || options.method == .ddpm
        let samples = (0..<count).map { _ in
            Sample(
                timestep: drawsTimestep
                    ? Int.random(in: 0..<options.settings.steps, using: &random) : options.settings.timestep,
                patch: Int.random(in: patches.indices, using: &random)
            )
        }
        return loss(of: crops, samples: samples, field: field, using: &random)
    }

    func validationLoss() throws(DataError) -> Float {
        let crops = try validation.spread(Self.validationLimit)
        let field = options.settings.noiseField(seed: options.settings.noiseSeed)
        var random = SplitMix64(state: ~options.seed)
        var total: Float = 0
        for start in stride(from: 0, to: crops.count, by: options.batch) {
            let batch = crops[start..<min(start + options.batch, crops.count)]
            let samples = batch.indices.map {
                Sample(timestep: options.settings.timestep, patch: $0 % patches.count)
            }
            total += Recording.off {
                loss(of: batch.flatMap { $0 }, samples: samples, field: field, using: &random).value.scalar
                    * Float(batch.count)
            }
        }
        return total / Float(crops.count)
    }

    /// How a window is noised.
    private struct Sample {
        let timestep: Int
        let patch: Int
    }

    private func loss(
        of crops: [Float],
        samples: [Sample],
        field: [Float],
        using random: inout SplitMix64
    ) -> Variable {
        let (size, count) = (options.settings.window, samples.count)
        let clean = crops.map { 2 * $0 - 1 }
        var noisy = clean
        for (index, sample) in samples.enumerated() {
            var window = Array(clean[index * size * size..<(index + 1) * size * size])
            PatchedDiffusion.noise(
                &window,
                runs: patches[sample.patch],
                field: field,
                signalScale: schedule.signalScale[sample.timestep],
                noiseScale: schedule.noiseScale[sample.timestep]
            )
            noisy.replaceSubrange(index * size * size..<(index + 1) * size * size, with: window)
        }
        let images = Variable(constant: Tensor(noisy, shape: [count, size, size, 1]))
        if case .autoencoder(let network) = built, options.method == .vae {
            return variationalLoss(of: images, clean: clean, network: network, using: &random)
        }
        let kept = options.method == .pddpm ? samples.map { patches[$0.patch] } : nil
        let prediction = built.reconstructed(images, timesteps: samples.map(\.timestep))
        return WindowLoss.of(prediction, clean: clean, kept: kept)
    }

    /// The loss with the latent vector drawn from the distribution that the encoder gives (Kingma and Welling 2014,
    /// equation 10).
    private func variationalLoss(
        of images: Variable,
        clean: [Float],
        network: Autoencoder,
        using random: inout SplitMix64
    ) -> Variable {
        let (mean, logVariance) = network.encoded(images)
        let draws = (0..<mean.value.count).map { _ in random.nextGaussian() }
        let noise = Variable(constant: Tensor(draws, shape: mean.shape))
        let latent = mean + logVariance.affine(scale: 0.5).exponential() * noise
        let divergence = (mean * mean + logVariance.exponential() - logVariance)
            .affine(scale: 0.5, shift: -0.5).sum()
        return WindowLoss.of(network.decoded(latent), clean: clean, kept: nil) + divergence
    }

    func description(training: ModelDescription.Provenance) -> ModelDescription {
        ModelDescription(
            method: options.method,
            reference: options.settings,
            residual: options.residual,
            training: training
        )
    }
}
