import Diffusion
import Dispatch
import Plate
import Randomness
import Synchronization

/// Draws training batches; a step's batch follows from the seed and the step alone, so that a resumed training draws what
/// the uninterrupted one would have drawn.
struct BatchSampler: Sendable {
    /// Crops, clean and partly noised, in the network's scale.
    struct Batch {
        /// N x H x W.
        var clean: [Float]
        /// N x H x W.
        var noisy: [Float]
        /// N x H x W, 1 where an image was noised and 0 elsewhere.
        var weights: [Float]
        var timesteps: [Int]
    }

    let frames: FrameSet
    let normalisation: Normalisation
    let diffusion: PatchedDiffusion
    /// Timesteps are drawn from here; near the test timestep, or the network learns to ignore the noised patch.
    let timesteps: Range<Int>
    let crop: Int
    let augments: Bool
    let seed: UInt64
    private let schedule: DiffusionSchedule
    /// Large noise field of the current stretch of steps; crops of it are as good as fields of their own.
    private var field: (stretch: Int, values: [Float])?

    private static let fieldSize = 1024
    private static let stepsPerField = 200

    init(
        frames: FrameSet,
        normalisation: Normalisation,
        diffusion: PatchedDiffusion,
        timesteps: Range<Int>,
        crop: Int,
        augments: Bool,
        seed: UInt64
    ) {
        (self.frames, self.normalisation, self.diffusion) = (frames, normalisation, diffusion)
        (self.timesteps, self.crop, self.augments, self.seed) = (timesteps, crop, augments, seed)
        schedule = DiffusionSchedule(count: diffusion.steps)
    }

    /// The batch of a step.
    ///
    /// Its images are drawn side by side, each from random numbers of its own.
    mutating func batch(step: Int, count: Int) throws(DataError) -> Batch {
        let noise = noiseField(stretch: step / Self.stepsPerField)
        let drawn = Mutex([Int: Result<Sample, DataError>]())
        let sampler = self
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let sample = Result { () throws(DataError) in
                try sampler.sample(step: step, index: index, noise: noise)
            }
            drawn.withLock { $0[index] = sample }
        }
        var batch = Batch(clean: [], noisy: [], weights: [], timesteps: [])
        for index in 0..<count {
            guard let sample = try drawn.withLock({ $0[index] })?.get() else { continue }
            batch.clean += sample.clean
            batch.noisy += sample.noisy
            batch.weights += sample.weights
            batch.timesteps.append(sample.timestep)
        }
        return batch
    }

    private struct Sample {
        let clean: [Float]
        let noisy: [Float]
        let weights: [Float]
        let timestep: Int
    }

    private func sample(step: Int, index: Int, noise: [Float]) throws(DataError) -> Sample {
        var random = SplitMix64(
            state: seed &+ UInt64(step) &* 0xD1B5_4A32_D192_ED03 &+ UInt64(index) &* 0x8CB9_2BA7_2F3D_8DD7
        )
        let clean = normalisation.normalised(try image(using: &random))
        let timestep = Int.random(in: timesteps, using: &random)
        let phase = Int.random(in: 0..<diffusion.phases.count, using: &random)
        let origin = (
            row: Int.random(in: 0..<2 * diffusion.phases.patch, using: &random),
            column: Int.random(in: 0..<2 * diffusion.phases.patch, using: &random)
        )
        let runs = diffusion.phases.noisedRuns(height: crop, width: crop, phase: phase, origin: origin)
        var noisy = clean
        PatchedDiffusion.noise(
            &noisy,
            runs: runs,
            field: window(of: noise, using: &random),
            signalScale: schedule.signalScale[timestep],
            noiseScale: schedule.noiseScale[timestep]
        )
        var weights = [Float](repeating: 0, count: clean.count)
        for run in runs { for pixel in run { weights[pixel] = 1 } }
        return Sample(clean: clean, noisy: noisy, weights: weights, timestep: timestep)
    }

    private func image(using random: inout SplitMix64) throws(DataError) -> [Float] {
        let crop = try crop(using: &random)
        guard augments else { return crop.pixels }
        let other = random.nextUniform() < 0.3 ? try self.crop(using: &random) : nil
        return Augmentation(normalisation: normalisation).applied(to: crop, lending: other, using: &random)
            .pixels
    }

    /// A crop at a random place, in one of the eight orientations of a square.
    private func crop(using random: inout SplitMix64) throws(DataError) -> Frame {
        let frame = try frames.frame(Int.random(in: 0..<frames.count, using: &random))
        let top = Int.random(in: 0...frame.height - crop, using: &random)
        let left = Int.random(in: 0...frame.width - crop, using: &random)
        let orientation = augments ? Int.random(in: 0..<8, using: &random) : 0
        var pixels: [Float] = []
        pixels.reserveCapacity(crop * crop)
        for i in 0..<crop {
            for j in 0..<crop {
                var (row, column) = orientation & 1 == 0 ? (i, j) : (j, i)
                if orientation & 2 != 0 { row = crop - 1 - row }
                if orientation & 4 != 0 { column = crop - 1 - column }
                pixels.append(frame.pixels[(top + row) * frame.width + left + column])
            }
        }
        return Frame(height: crop, width: crop, pixels: pixels)
    }

    private mutating func noiseField(stretch: Int) -> [Float] {
        if let field, field.stretch == stretch { return field.values }
        var generator = SplitMix64(state: seed ^ UInt64(stretch &+ 1) &* 0x9E6C_63D0_876A_3F6B)
        let values = diffusion.noise.field(height: Self.fieldSize, width: Self.fieldSize, using: &generator)
        field = (stretch, values)
        return values
    }

    private func window(of noise: [Float], using random: inout SplitMix64) -> [Float] {
        let top = Int.random(in: 0...Self.fieldSize - crop, using: &random)
        let left = Int.random(in: 0...Self.fieldSize - crop, using: &random)
        var window: [Float] = []
        window.reserveCapacity(crop * crop)
        for row in 0..<crop {
            let start = (top + row) * Self.fieldSize + left
            window += noise[start..<start + crop]
        }
        return window
    }
}
