import Detection
import Diffusion
import Networks
import Randomness
import Tensors

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
