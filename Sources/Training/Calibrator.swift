package import Detection
package import Diffusion
import Evaluation
import Foundation
import Frames
import Plate
import Randomness
package import Tensors
package import Verdict

/// Finds a model's thresholds.
package struct Calibrator: Sendable {
    /// What a calibration is told.
    package struct Options: Sendable {
        /// Which image score decides.
        package var scoreKind = ScoreKind.patch
        /// Share of normal frames that may be called faulty.
        package var falseAlarmRate = 0.001
        /// Side of the window that masks are taken over; the patch score's.
        package var maskWindow = 16
        /// Share of normal frames whose mask may have any pixel.
        package var maskRate = 0.05
        /// Changed copies of each normal frame that are judged as well.
        package var variations = 0
        /// Seed of the changes.
        package var seed: UInt64 = 1
        /// What known faults look like, beside the normal tiles.
        package var classifier: TileClassifier?

        /// The defaults.
        package init() {}

        /// Changed copies of each of so many frames that make up for missing frames: four at most, and none of a hundred frames,
        /// where they would only widen what is normal.
        package static func variations(for frames: Int) -> Int {
            let missing = max(enough - frames, 0)
            return min((missing + frames - 1) / max(frames, 1), mostVariations)
        }

        private static let enough = 100
        private static let mostVariations = 4
    }

    private let scorer: FrameScorer
    private let model: Model
    private let options: Options

    /// Calibrates a model for a precision; `path` is for messages.
    package init(
        model: Model,
        path: String,
        options: Options,
        precision: Precision = .float32
    ) throws(ModelError) {
        self.scorer = try FrameScorer(model: model, path: path, precision: precision)
        self.model = model
        self.options = options
    }

    /// Thresholds from normal frames alone.
    ///
    /// `report` hears of each frame judged, out of how many, and `passes` how far the passes over a frame are.
    package func labelFree(
        _ frames: FrameSet,
        report: (_ done: Int, _ all: Int) -> Void,
        passes: (ReconstructionProgress) -> Void = { _ in }
    ) throws(DataError) -> Calibration {
        let augmentation = Augmentation(
            normalisation: try normalisation(of: frames),
            slack: Augmentation.usualSlack
        )
        let normal = try normalFrames(of: frames, augmentation, report: report, passes: passes)
        let calibration = Calibration(
            scoreKind: options.scoreKind,
            maskWindow: options.maskWindow,
            image: Calibration.imageLimits(
                normalScores: normal.scores,
                onsets: normal.onsets,
                falseAlarmRate: options.falseAlarmRate,
                maskRate: options.maskRate
            )
        )
        return try withTiles(calibration, normal, frames, augmentation)
    }

    /// The calibration with the tiles of normal frames, where there are enough of them.
    private func withTiles(
        _ calibration: Calibration,
        _ normal: NormalFrames,
        _ frames: FrameSet,
        _ augmentation: Augmentation
    ) throws(DataError) -> Calibration {
        guard !normal.tiles.isEmpty, let settings = model.description.realtime else { return calibration }
        var fit = NormalTilesFit()
        (fit.falseAlarmRate, fit.seed) = (options.falseAlarmRate, options.seed)
        fit.classifier = options.classifier
        let found = fit.fitted(
            to: normal.tiles,
            size: (frames.height, frames.width),
            background: settings.normalisation.background
        )
        let limits = Limits(
            severity: found.severity,
            threshold: Threshold(found.threshold),
            mask: calibration.image.mask
        )
        var result = calibration
        result.tiles = Calibration.Tiles(normal: found.tiles, limits: limits)
        let mask = try maskThreshold(of: result, on: frames, augmentation)
        result.tiles?.limits.mask = mask
        return result
    }

    /// What was measured in normal frames and their changed copies.
    private struct NormalFrames {
        var tiles: [TileFigures] = []
        var scores: [Double] = []
        var onsets: [Double] = []
    }

    /// In smaller frames every tile is near any fault, and unlikely with it: 40 tiles are 256 x 160 pixels.
    private static let fewestTiles = 40

    /// Measures each frame and its changed copies.
    private func normalFrames(
        of frames: FrameSet,
        _ augmentation: Augmentation,
        report: (_ done: Int, _ all: Int) -> Void,
        passes: (ReconstructionProgress) -> Void
    ) throws(DataError) -> NormalFrames {
        let filter = Calibration.smallComponents(window: options.maskWindow)
        let all = frames.count * (1 + options.variations)
        var normal = NormalFrames()
        // A reference model tells how far it is within a frame; of a realtime one, frames go side by side.
        let width = model.description.realtime == nil ? 1 : Compute.threads
        for start in stride(from: 0, to: all, by: width) {
            let shown = try (start..<min(start + width, all)).map { number throws(DataError) in
                try self.shown(number, of: frames, changedBy: augmentation)
            }
            let maps =
                width == 1
                ? shown.map { scorer.map(of: $0, report: passes) }
                : Compute.concurrentMap(shown.count) { scorer.map(of: shown[$0]) }
            for (index, map) in maps.enumerated() {
                normal.tiles += tiles(of: shown[index], map).map { [$0] } ?? []
                normal.scores.append(options.scoreKind.value(of: ImageScores(map: map)))
                normal.onsets.append(Double(filter.onset(of: map.windowMean(options.maskWindow))))
            }
            report(normal.scores.count, all)
        }
        return normal
    }

    private func tiles(of frame: Frame, _ map: ScoreMap) -> TileFigures? {
        guard let settings = model.description.realtime,
            let tiles = TileFigures(frame: frame, map: map, background: settings.normalisation.background)
        else { return nil }
        return tiles.count >= Self.fewestTiles ? tiles : nil
    }

    /// More frames than these do not move the threshold of masks.
    private static let mostMasked = 100

    /// The threshold of masks of the residual weighted by the tiles; it needs a second pass over the frames, when the normal tiles
    /// are known.
    private func maskThreshold(
        of calibration: Calibration,
        on frames: FrameSet,
        _ augmentation: Augmentation
    ) throws(DataError) -> Threshold {
        let all = frames.count * (1 + options.variations)
        let count = min(all, Self.mostMasked)
        let filter = calibration.smallComponents
        var onsets: [Double] = []
        for start in stride(from: 0, to: count, by: Compute.threads) {
            let shown = try (start..<min(start + Compute.threads, count)).map { number throws(DataError) in
                try self.shown(number * all / count, of: frames, changedBy: augmentation)
            }
            onsets += Compute.concurrentMap(shown.count) { index in
                let map = calibration.maskMap(of: shown[index], map: scorer.map(of: shown[index]))
                return Double(filter.onset(of: map))
            }
        }
        return Threshold(ConformalThreshold(normalValues: onsets, falseAlarmRate: options.maskRate))
    }

    /// What tells tiles of faults from others, from lists of labelled frames with masks, each with normal frames of the
    /// same microscope; `nil` if no list has both.
    ///
    /// `report` hears of each frame judged, and of each step of the fit.
    package func classifier(
        _ lists: [[FramePaths.Labelled]],
        report: (_ what: String, _ done: Int, _ all: Int) -> Void
    ) throws(DataError) -> TileClassifier? {
        guard let settings = model.description.realtime else { return nil }
        var fit = TileClassifierFit(background: settings.normalisation.background, seed: options.seed)
        let all = lists.reduce(0) { $0 + $1.count }
        var done = 0
        for list in lists {
            for rows in list.chunks(of: Compute.threads) {
                for (row, frame, map) in try mapped(rows) {
                    let mask = try row.readMask(height: frame.height, width: frame.width)
                    // Where a faulty frame is faulty must be known.
                    if !row.isFaulty || mask != nil {
                        fit.add(frame, map: map, mask: row.isFaulty ? mask : nil)
                    }
                }
                done += rows.count
                report("labelled frame", done, all)
            }
            fit.endList()
        }
        return fit.classifier { report("step of fitting the tile classifier", $0, $1) }
    }

    /// What tells causes, from labelled frames whose list has a column `fault`; `nil` if there are not two causes, or
    /// nothing is known of normal tiles.
    ///
    /// Only frames that the calibration finds faulty are examples, as only such frames get a cause.
    package func causes(
        _ rows: [FramePaths.Labelled],
        calibration: Calibration,
        report: (_ done: Int, _ all: Int) -> Void
    ) throws(DataError) -> CauseModel? {
        var fit = CauseFit(calibration: calibration)
        let faulty = rows.filter(\.isFaulty)
        for rows in faulty.chunks(of: Compute.threads) {
            for (row, frame, map) in try mapped(rows) {
                if let cause = row.fault.flatMap(Cause.init(rawValue:)) {
                    fit.add(frame, map: map, cause: cause)
                }
            }
            report(rows.endIndex, faulty.count)
        }
        return fit.model
    }

    /// Frames with their score maps, computed side by side.
    private func mapped(
        _ rows: ArraySlice<FramePaths.Labelled>
    ) throws(DataError) -> [(FramePaths.Labelled, Frame, ScoreMap)] {
        let frames = try rows.map { row throws(DataError) in try row.readFrame() }
        let maps = Compute.concurrentMap(frames.count) { scorer.map(of: frames[$0]) }
        return zip(rows, zip(frames, maps)).map { ($0, $1.0, $1.1) }
    }

    /// A frame of the calibration: each of the set, followed by its changed copies.
    private func shown(
        _ number: Int,
        of frames: FrameSet,
        changedBy augmentation: Augmentation
    ) throws(DataError) -> Frame {
        let (index, variation) = number.quotientAndRemainder(dividingBy: 1 + options.variations)
        let frame = try frames.frame(index)
        guard variation > 0 else { return frame }
        var random = SplitMix64(state: options.seed &+ UInt64(index * 4096 + variation))
        let other = try frames.frame(Int.random(in: 0..<frames.count, using: &random))
        let lent = random.nextUniform() < 0.3 ? other : nil
        return augmentation.applied(to: frame, lending: lent, using: &random)
    }

    /// The ranges inside the network over the frames and their changed copies, for `ModelDescription.ranges`; `nil`
    /// for a model of the `reference` profile.
    package func ranges(_ frames: FrameSet) throws(DataError) -> [ClosedRange<Float>]? {
        guard let settings = model.description.realtime else { return nil }
        let augmentation = Augmentation(normalisation: settings.normalisation, slack: Augmentation.usualSlack)
        let all = frames.count * (1 + options.variations)
        var ranges: [ClosedRange<Float>] = []
        for start in stride(from: 0, to: all, by: Compute.threads) {
            let shown = try (start..<min(start + Compute.threads, all)).map { number throws(DataError) in
                try self.shown(number, of: frames, changedBy: augmentation)
            }
            for found in Compute.concurrentMap(shown.count, { scorer.ranges(of: shown[$0]) ?? [] }) {
                ranges.unite(with: found)
            }
        }
        return ranges
    }

    /// The grey scale that changes of frames are made on: the model's own, or the frames' where it has none.
    private func normalisation(of frames: FrameSet) throws(DataError) -> Normalisation {
        if let settings = model.description.realtime { return settings.normalisation }
        guard let normalisation = Normalisation(sample: try frames.sample()) else {
            throw DataError("all frames are blank: every pixel has the same grey value")
        }
        return normalisation
    }

    /// The published greedy search over labelled frames, for the severities and for the masks' pixels.
    ///
    /// Severities are still relative to normal frames: their scales come from a label-free calibration. Faulty frames
    /// without a mask count for the image threshold only.
    package func greedy(
        _ rows: [FramePaths.Labelled],
        calibration: Calibration,
        report: (_ done: Int, _ all: Int) -> Void,
        passes: (ReconstructionProgress) -> Void = { _ in }
    ) throws(DataError) -> Calibration {
        guard rows.contains(where: \.isFaulty), rows.contains(where: { !$0.isFaulty }) else {
            throw DataError("the list of labelled frames needs both normal (0) and faulty (1) ones")
        }
        var severities: [Double] = []
        var maps: [ScoreMap] = []
        var masks: [Mask] = []
        for (index, row) in rows.enumerated() {
            let frame = try row.readFrame()
            let map = scorer.map(of: frame, report: passes)
            severities.append(calibration.severity(of: frame, map: map))
            if let mask = try row.readMask(height: map.height, width: map.width) {
                maps.append(calibration.maskMap(of: frame, map: map))
                masks.append(mask)
            }
            report(index + 1, rows.count)
        }
        var result = calibration
        let image = GreedyThreshold.accuracy(scores: severities, faulty: rows.map(\.isFaulty))
        result.limits.threshold = Threshold(image)
        if masks.contains(where: { $0.area > 0 }) {
            result.limits.mask = Threshold(GreedyThreshold.dice(maps: maps, masks: masks))
        }
        return result
    }
}

extension Array {
    /// Parts of so many elements one after another; the last may have fewer.
    func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
