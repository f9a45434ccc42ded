import Detection
import Plate
import Randomness
import Simulation
import Training

/// Changed copies of real normal frames, some with the simulated microscope's faults put on.
struct InjectedFrames {
    /// Normal frames to train on and to test with.
    let training: FrameSet
    let test: FrameSet
    private let augmentation: Augmentation

    /// Blur of a normal frame in pixels: a slack of some 10 um in focus.
    private static let blur: Float = 0.6
    /// Faults are made for grey values of 0 to 255.
    private static let brightest: Float = 255

    /// Takes frames of one grey scale; throws where they are blank or no fault can be put on them.
    init(training: FrameSet, test: FrameSet) throws {
        let sample = try training.sample()
        guard let normalisation = Normalisation(sample: sample) else {
            throw DataError("all frames are blank: every pixel has the same grey value")
        }
        guard sample.allSatisfy({ $0 <= Self.brightest }) else {
            throw DataError("faults can be put on frames of 8 bits only, and these are brighter")
        }
        (self.training, self.test) = (training, test)
        augmentation = Augmentation(normalisation: normalisation, blur: Self.blur)
    }

    /// The set as it would be written; the same seed gives the same frames.
    func set(_ composition: SetComposition, seed: UInt64) throws -> LabelledSet {
        try LabelledSet(composition, seed: seed) { isTraining, seed in
            try changedFrame(of: isTraining ? training : test, seed: seed)
        }
    }

    private func changedFrame(of set: FrameSet, seed: UInt64) throws -> Frame {
        var random = SplitMix64(state: seed)
        let frame = try set.frame(Int.random(in: 0..<set.count, using: &random))
        let other = try set.frame(Int.random(in: 0..<set.count, using: &random))
        var changed = augmentation.applied(to: frame, lending: other, using: &random)
        if random.nextUniform() < 0.5 { changed.pixels.reverse() }
        for index in changed.pixels.indices {
            changed.pixels[index] = min(max(changed.pixels[index], 0), Self.brightest).rounded()
        }
        return changed
    }
}
