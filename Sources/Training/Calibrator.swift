package import Detection
import Foundation
import Frames
import Plate
import Randomness
package import Tensors

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
        /// What known faults taught, as a witness beside the normal tiles.
        package var classifier: TileClassifier?

        /// The defaults.
        package init() {}

        /// Changed copies of each of so many frames that make up for frames that are not there: four at most, and none of a
        /// hundred frames, where they would only blur what is normal.
        package static func variations(for frames: Int) -> Int {
            let missing = max(enough - frames, 0)
            return min((missing + frames - 1) / max(frames, 1), mostVariations)
        }

        private static let enough = 100
        private static let mostVariations = 4
    }

    /// Blur of a changed copy in pixels, a slack of some 10 um in focus; more would be a fault.
    private static let blur: Float = 0.6

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
        let augmentation = Augmentation(normalisation: try normalisation(of: frames), blur: Self.blur)
        let figures = try figures(of: frames, augmentation, report: report, passes: passes)
        let scores = figures.scores
        let scale = SeverityScale(normalScores: scores)
        let image = ConformalThreshold(
            normalValues: scores.map { scale.severity(of: $0) },
            falseAlarmRate: options.falseAlarmRate
        )
        let mask = ConformalThreshold(normalValues: figures.onsets, falseAlarmRate: options.maskRate)
        var calibration = Calibration(
            scoreKind: options.scoreKind,
            scale: scale,
            threshold: (image.value, .conformal(image)),
            maskWindow: options.maskWindow,
            mask: (mask.value, .conformal(mask))
        )
        let learnt = figures.learner?.model(
            falseAlarmRate: options.falseAlarmRate,
            seed: options.seed,
            classifier: options.classifier
        )
        if var normal = learnt {
            normal.maskThreshold = try maskThreshold(of: normal, on: frames, augmentation)
            calibration.normal = normal
        }
        return calibration
    }

    /// What normal frames give.
    private struct NormalFigures {
        var learner: NormalLearner?
        var scores: [Double] = []
        var onsets: [Double] = []
    }

    /// Judges each frame and its changed copies.
    private func figures(
        of frames: FrameSet,
        _ augmentation: Augmentation,
        report: (_ done: Int, _ all: Int) -> Void,
        passes: (ReconstructionProgress) -> Void
    ) throws(DataError) -> NormalFigures {
        let filter = Calibration.specks(window: options.maskWindow)
        let all = frames.count * (1 + options.variations)
        var figures = NormalFigures(
            learner: model.description.realtime.map { NormalLearner(background: $0.normalisation.background) }
        )
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
                figures.learner?.add(shown[index], map: map)
                figures.scores.append(options.scoreKind.value(of: ImageScores(map: map)))
                figures.onsets.append(Double(filter.onset(of: map.windowMean(options.maskWindow))))
            }
            report(figures.scores.count, all)
        }
        return figures
    }

    /// More frames than these do not move the threshold of masks.
    private static let mostMasked = 100

    /// The threshold of masks that the normal model takes part in; it is known only after all frames were seen once.
    private func maskThreshold(
        of normal: NormalModel,
        on frames: FrameSet,
        _ augmentation: Augmentation
    ) throws(DataError) -> Double {
        let all = frames.count * (1 + options.variations)
        let count = min(all, Self.mostMasked)
        let filter = Calibration.specks(window: options.maskWindow)
        var onsets: [Double] = []
        for start in stride(from: 0, to: count, by: Compute.threads) {
            let shown = try (start..<min(start + Compute.threads, count)).map { number throws(DataError) in
                try self.shown(number * all / count, of: frames, changedBy: augmentation)
            }
            onsets += Compute.concurrentMap(shown.count) { index in
                let located = normal.located(scorer.map(of: shown[index]), in: shown[index])
                return Double(filter.onset(of: located.windowMean(options.maskWindow)))
            }
        }
        return ConformalThreshold(normalValues: onsets, falseAlarmRate: options.maskRate).value
    }

    /// What tells tiles of faults from others, from lists of labelled frames with masks, each with normal frames of the
    /// same microscope; `nil` if no list has both.
    ///
    /// `report` hears of each frame judged, and of each step of learning.
    package func classifier(
        _ lists: [[FramePaths.Labelled]],
        report: (_ what: String, _ done: Int, _ all: Int) -> Void
    ) throws(DataError) -> TileClassifier? {
        guard let settings = model.description.realtime else { return nil }
        var learner = FaultLearner(background: settings.normalisation.background, seed: options.seed)
        let all = lists.reduce(0) { $0 + $1.count }
        var done = 0
        for list in lists {
            for start in stride(from: 0, to: list.count, by: Compute.threads) {
                let rows = list[start..<min(start + Compute.threads, list.count)]
                let shown = try rows.map { row throws(DataError) in try row.readFrame() }
                let maps = Compute.concurrentMap(shown.count) { scorer.map(of: shown[$0]) }
                for (row, (frame, map)) in zip(rows, zip(shown, maps)) {
                    let mask = try row.readMask(height: frame.height, width: frame.width)
                    // Where a faulty frame is faulty must be known.
                    if !row.isFaulty || mask != nil {
                        learner.add(frame, map: map, mask: row.isFaulty ? mask : nil)
                    }
                }
                done += rows.count
                report("labelled frame", done, all)
            }
            learner.endList()
        }
        return learner.classifier { report("step of learning faulty tiles", $0, $1) }
    }

    /// What tells causes, from labelled frames whose list has a column `fault`; `nil` if there are not two causes, or
    /// nothing is known of normal tiles.
    ///
    /// Only frames that the calibration finds faulty teach: what a fault looks like that nobody sees helps nobody.
    package func causes(
        _ rows: [FramePaths.Labelled],
        calibration: Calibration,
        report: (_ done: Int, _ all: Int) -> Void
    ) throws(DataError) -> CauseModel? {
        var learner = CauseLearner(calibration: calibration)
        let faulty = rows.filter(\.isFaulty)
        for start in stride(from: 0, to: faulty.count, by: Compute.threads) {
            let rows = faulty[start..<min(start + Compute.threads, faulty.count)]
            let shown = try rows.map { row throws(DataError) in try row.readFrame() }
            let maps = Compute.concurrentMap(shown.count) { scorer.map(of: shown[$0]) }
            for (row, (frame, map)) in zip(rows, zip(shown, maps)) {
                if let cause = row.fault.flatMap(Cause.init(rawValue:)) {
                    learner.add(frame, map: map, cause: cause)
                }
            }
            report(start + shown.count, faulty.count)
        }
        return learner.model
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
        let augmentation = Augmentation(normalisation: settings.normalisation, blur: Self.blur)
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
    /// Severities are still relative to normal frames: `scale` comes from a label-free calibration. Faulty frames
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
                let located = calibration.normal?.located(map, in: frame) ?? map
                maps.append(located.windowMean(calibration.maskWindow))
                masks.append(mask)
            }
            report(index + 1, rows.count)
        }
        var result = calibration
        let image = GreedyThreshold.accuracy(scores: severities, faulty: rows.map(\.isFaulty))
        (result.threshold, result.thresholdOrigin) = (image.threshold, .greedy(image))
        result.normal?.threshold = image.threshold
        result.normal?.origin = .greedy(image)
        if masks.contains(where: { $0.area > 0 }) {
            let mask = GreedyThreshold.dice(maps: maps, masks: masks)
            (result.maskThreshold, result.maskOrigin) = (mask.threshold, .greedy(mask))
            result.normal?.maskThreshold = mask.threshold
        }
        return result
    }
}
