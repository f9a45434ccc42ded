import Detection
import Diffusion
import Networks
import Randomness
import Tensors

/// The objective that a training minimises: it draws the batches and computes their loss.
protocol TrainingObjective: AnyObject {
    var network: any Network { get }

    /// The loss of a step's batch, to be differentiated once; it follows from seed, step and weights alone.
    func loss(step: Int) throws(DataError) -> Variable

    /// The loss on held-out frames with the network's present weights, always over the same crops and noise.
    func validationLoss() throws(DataError) -> Float

    /// The description that goes into the model file.
    func description(training: ModelDescription.Provenance) -> ModelDescription
}

/// The training of a `realtime` pDDPM: patches of a checkerboard, timesteps near the test timestep, varied frames.
final class RealtimeObjective: TrainingObjective {
    private let plan: TrainingPlan.Realtime
    private let unet: RealtimeUNet
    private var sampler: BatchSampler
    private var validation: BatchSampler

    private static let validationBatches = 3

    init(plan: TrainingPlan.Realtime, frames: FrameSplit) throws(DataError) {
        let options = plan.options
        for set in [frames.training, frames.validation] where min(set.height, set.width) < options.crop {
            throw DataError(
                "frames of \(set.width) x \(set.height) are smaller than the crops of \(options.crop)"
            )
        }
        self.plan = plan
        var random = SplitMix64(state: options.seed)
        unet = RealtimeUNet(options.architecture, using: &random)
        sampler = BatchSampler(
            frames: frames.training,
            normalisation: plan.normalisation,
            diffusion: plan.diffusion,
            timesteps: 0..<options.highestTimestep,
            crop: options.crop,
            augments: true,
            seed: options.seed
        )
        let test = plan.diffusion.timestep
        validation = BatchSampler(
            frames: frames.validation,
            normalisation: plan.normalisation,
            diffusion: plan.diffusion,
            timesteps: test..<test + 1,
            crop: options.crop,
            augments: false,
            seed: ~options.seed
        )
    }

    var network: any Network { unet }

    func loss(step: Int) throws(DataError) -> Variable {
        let batch = try sampler.batch(step: step, count: plan.options.batch)
        return PatchLoss.of(predict(batch), batch: batch)
    }

    func validationLoss() throws(DataError) -> Float {
        var total: Float = 0
        for index in 0..<Self.validationBatches {
            let batch = try validation.batch(step: index, count: plan.options.batch)
            total += Recording.off { PatchLoss.of(predict(batch), batch: batch).value.scalar }
        }
        return total / Float(Self.validationBatches)
    }

    private func predict(_ batch: BatchSampler.Batch) -> Variable {
        let (count, crop) = (batch.timesteps.count, plan.options.crop)
        let noisy = Variable(constant: Tensor(batch.noisy, shape: [count, crop, crop, 1]))
        return unet(noisy, timesteps: batch.timesteps)
    }

    func description(training: ModelDescription.Provenance) -> ModelDescription {
        let settings = RealtimeSettings(
            architecture: plan.options.architecture,
            normalisation: plan.normalisation,
            diffusion: plan.diffusion
        )
        return ModelDescription(realtime: settings, residual: .l1DSSIM, training: training)
    }
}

/// The pDDPM training loss.
///
/// 0.5 DSSIM + 0.5 |difference| between clean and reconstructed images in [0, 1], averaged over the noised
/// pixels. Outside them the reconstruction is the image itself.
enum PatchLoss {
    /// The loss of a prediction, N x H x W x 1, as a scalar that can be differentiated once.
    static func of(_ prediction: Variable, batch: BatchSampler.Batch) -> Variable {
        let (count, height, width) = (prediction.shape[0], prediction.shape[1], prediction.shape[2])
        let clean = batch.clean.map { 0.5 * ($0 + 1) }
        var reconstruction = clean
        prediction.value.withSpan { span in
            for index in reconstruction.indices where batch.weights[index] > 0 {
                reconstruction[index] = 0.5 * (span[index] + 1)
            }
        }
        let loss = StructuralLoss.half.valueAndGradient(
            input: clean,
            reconstruction: reconstruction,
            count: count,
            height: height,
            width: width,
            weights: batch.weights
        )
        return Variable(value: Tensor([loss.value], shape: []), inputs: [prediction]) { upstream in
            // Half, since [-1, 1] is twice as long as [0, 1]; none where the prediction is not used.
            let scale = 0.5 * upstream.value.scalar
            let gradient = zip(loss.gradient, batch.weights).map { scale * $0 * $1 }
            return [Variable(constant: Tensor(gradient, shape: prediction.shape))]
        }
    }
}

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
        for batch in crops.chunks(of: options.batch) {
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

    /// The loss with the latent vector drawn from the distribution that the encoder gives.
    private func variationalLoss(
        of images: Variable,
        clean: [Float],
        network: Autoencoder,
        using random: inout SplitMix64
    ) -> Variable {
        let distribution = network.encoded(images)
        let (mean, logVariance) = distribution
        let draws = (0..<mean.value.count).map { _ in random.nextGaussian() }
        let noise = Variable(constant: Tensor(draws, shape: mean.shape))
        let latent = Autoencoder.sample(of: distribution, noise: noise)
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

/// The published loss of reconstructed windows: 0.5 DSSIM + 0.5 |difference| on [-1, 1] with dynamic range 1, averaged
/// over all pixels of all windows.
enum WindowLoss {
    /// The loss of a prediction, N x W x W x 1, as a scalar that can be differentiated once.
    ///
    /// Of each prediction only the `kept` runs of pixels count, one list a window; elsewhere the clean window stands in
    /// its place, which adds no loss but lowers the mean. Without `kept` everything counts.
    static func of(_ prediction: Variable, clean: [Float], kept: [[Range<Int>]]?) -> Variable {
        let (count, height, width) = (prediction.shape[0], prediction.shape[1], prediction.shape[2])
        let kept = kept ?? Array(repeating: [0..<height * width], count: count)
        var reconstruction = clean
        let indices = kept.enumerated().flatMap { image, runs in
            runs.flatMap { run in run.map { image * height * width + $0 } }
        }
        prediction.value.withSpan { span in
            for index in indices { reconstruction[index] = span[index] }
        }
        let loss = StructuralLoss.half.valueAndGradient(
            input: clean,
            reconstruction: reconstruction,
            count: count,
            height: height,
            width: width
        )
        return Variable(value: Tensor([loss.value], shape: []), inputs: [prediction]) { upstream in
            var gradient = [Float](repeating: 0, count: clean.count)
            let scale = upstream.value.scalar
            for index in indices { gradient[index] = scale * loss.gradient[index] }
            return [Variable(constant: Tensor(gradient, shape: prediction.shape))]
        }
    }
}
