import Diffusion
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

    /// Rows and columns of the part of a frame that each copy is of, at a place of its own; `nil` for all.
    private let part: (rows: Int?, columns: Int?)
    /// Whether each copy is changed as lamps, wells and cells vary; else it is a frame as it is.
    private let isVaried: Bool

    /// Takes frames of one grey scale; throws where they are blank, no fault can be put on them, or they are smaller than the
    /// part.
    init(
        training: FrameSet,
        test: FrameSet,
        part: (rows: Int?, columns: Int?) = (nil, nil),
        isVaried: Bool = true
    ) throws {
        for set in [training, test] where (part.rows ?? 0) > set.height || (part.columns ?? 0) > set.width {
            throw DataError(
                "the frames are \(set.width) x \(set.height); --width and --height cannot ask for more"
            )
        }
        (self.part, self.isVaried) = (part, isVaried)
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
        let frame = part(of: try set.frame(Int.random(in: 0..<set.count, using: &random)), using: &random)
        guard isVaried else { return frame }
        let other = part(of: try set.frame(Int.random(in: 0..<set.count, using: &random)), using: &random)
        var changed = augmentation.applied(to: frame, lending: other, using: &random)
        if random.nextUniform() < 0.5 { changed.pixels.reverse() }
        for index in changed.pixels.indices {
            changed.pixels[index] = min(max(changed.pixels[index], 0), Self.brightest).rounded()
        }
        return changed
    }

    /// A whole frame draws nothing: sets of whole frames stay as they were.
    private func part(of frame: Frame, using random: inout SplitMix64) -> Frame {
        let (rows, columns) = (part.rows ?? frame.height, part.columns ?? frame.width)
        guard (rows, columns) != (frame.height, frame.width) else { return frame }
        return frame.window(
            row: Int.random(in: 0...frame.height - rows, using: &random),
            column: Int.random(in: 0...frame.width - columns, using: &random),
            height: rows,
            width: columns
        )
    }
}
