import Detection
import Diffusion
import Faults
import Plate
import Randomness

/// Changed copies of real normal frames, some with simulated faults on them.
package struct InjectedFrames: Sendable {
    private let training: FrameSet
    private let test: FrameSet
    private let augmentation: Augmentation

    /// Faults are made for grey values of 0 to 255.
    private static let brightest: Float = 255

    /// Rows and columns of the part of a frame that each copy is of, at a place of its own; `nil` for all.
    private let part: (rows: Int?, columns: Int?)
    /// Whether copies are changed as lamps, wells and cells vary.
    private let isVaried: Bool

    /// Takes normal frames of one grey scale, to train on and to test with.
    ///
    /// Throws where they are blank, have more than 8 bits, or are smaller than the part.
    package init(
        training: FrameSet,
        test: FrameSet,
        part: (rows: Int?, columns: Int?) = (nil, nil),
        isVaried: Bool = true
    ) throws(DataError) {
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
        augmentation = Augmentation(normalisation: normalisation, slack: Augmentation.usualSlack)
    }

    /// The set as it would be written; the same seed gives the same frames.
    package func set(_ composition: SetComposition, seed: UInt64) throws(DataError) -> LabelledSet {
        try LabelledSet(composition, seed: seed) { item in
            let place = (UInt64(item.plate), UInt64(item.well.row * 64 + item.well.column))
            let frame = try changedFrame(
                of: item.isTraining ? training : test,
                seed: SplitMix64(seed: seed, 0x1A7, place.0, place.1).state
            )
            return item.fault?.injected(into: frame) ?? LabelledFrame(normal: frame)
        }
    }

    private func changedFrame(of set: FrameSet, seed: UInt64) throws(DataError) -> Frame {
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

    /// A whole frame draws no number, so that the sets of whole frames do not depend on this option.
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
