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

    /// The brightest value of the frames' grey scale.
    private let white: Float
    /// Sets are written with 8 bits.
    private static let brightest: Float = 255

    /// Rows and columns of the part of a frame that each copy is of, at a place of its own; `nil` for all.
    private let part: (rows: Int?, columns: Int?)
    private let changes: Changes

    /// How copies differ from their frames.
    package enum Changes: String, Sendable, CaseIterable {
        /// Not at all.
        case none
        /// Mirrored, and as frames of one microscope differ from well to well.
        case slight
        /// Mirrored, and as lamps, wells, cells and cameras differ from plate to plate.
        case wide
    }

    /// Takes normal frames of one grey scale, to train on and to test with.
    ///
    /// Throws where they are blank, have more than 8 bits, or are smaller than the part.
    package init(
        training: FrameSet,
        test: FrameSet,
        part: (rows: Int?, columns: Int?) = (nil, nil),
        changes: Changes = .wide
    ) throws(DataError) {
        for set in [training, test] where (part.rows ?? 0) > set.height || (part.columns ?? 0) > set.width {
            throw DataError(
                "the frames are \(set.width) x \(set.height); --width and --height cannot ask for more"
            )
        }
        (self.part, self.changes) = (part, changes)
        (self.training, self.test) = (training, test)
        white = max(try training.white(), try test.white())
        guard white <= Self.brightest else {
            throw DataError("sets are written with 8 bits, and these frames are brighter")
        }
        augmentation = Augmentation(
            normalisation: try training.normalisation(),
            slack: Augmentation.usualSlack
        )
    }

    /// The set as it would be written; the same seed gives the same frames.
    package func set(_ composition: SetComposition, seed: UInt64) throws(DataError) -> LabelledSet {
        try LabelledSet(composition, seed: seed) { item in
            let place = (UInt64(item.plate), UInt64(item.well.row * 64 + item.well.column))
            let frame = try changedFrame(
                of: item.isTraining ? training : test,
                seed: SplitMix64(seed: seed, 0x1A7, place.0, place.1).state
            )
            return item.fault?.injected(into: frame, white: white) ?? LabelledFrame(normal: frame)
        }
    }

    private func changedFrame(of set: FrameSet, seed: UInt64) throws(DataError) -> Frame {
        var random = SplitMix64(state: seed)
        let frame = part(of: try set.frame(Int.random(in: 0..<set.count, using: &random)), using: &random)
        var changed: Frame
        switch changes {
        case .none: return frame
        case .slight: changed = augmentation.slightlyChanged(frame, using: &random)
        case .wide:
            let other = part(of: try set.frame(Int.random(in: 0..<set.count, using: &random)), using: &random)
            changed = augmentation.applied(to: frame, lending: other, using: &random)
        }
        if random.nextUniform() < 0.5 { changed.pixels.reverse() }
        for index in changed.pixels.indices {
            changed.pixels[index] = min(max(changed.pixels[index], 0), white)
            if white > 1 { changed.pixels[index].round() }
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
