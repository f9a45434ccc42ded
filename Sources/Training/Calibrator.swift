package import Detection
package import Diffusion
import Evaluation
import Faults
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
        /// Seed of the faults that are put on copies.
        package var seed: UInt64 = 1
        /// What known faults look like on any microscope, where the model does not know.
        package var classifier: TileClassifier?
        /// Whether frames that are far from all others count as normal, too.
        package var keepsOutliers = false
        /// Faults that are put on copies of the frames, to adapt the classifier and to see which are found; 0 for none.
        package var copies = 150

        /// The defaults.
        package init() {}
    }

    /// What a calibration rests on, for the person who asked for it.
    package struct Report: Sendable {
        /// Frames that were left out, the most severe first; each by its number in the set.
        package private(set) var leftOut: [CalibrationFit.Distance] = []
        /// Frames that are as far out and were kept all the same, as they are too many for exceptions.
        package private(set) var tooMany = 0
        /// The frames that were kept, the most severe first.
        package private(set) var kept: [CalibrationFit.Distance] = []
        /// How many faults put on copies were found, class by class.
        package private(set) var recall: [CalibrationFit.Recall] = []

        /// Nothing to say.
        package init() {}

        init(
            _ result: CalibrationFit.Result,
            _ kept: [Place],
            leftOut: [CalibrationFit.Distance],
            tooMany: Int
        ) {
            self.leftOut = leftOut.sorted { $0.severity > $1.severity }
            self.tooMany = tooMany
            self.kept = result.distances
                .map { .init(index: kept[$0.index].index, severity: $0.severity, term: $0.term) }
                .sorted { $0.severity > $1.severity }
            recall = result.recall
        }
    }

    /// What was found at one precision.
    package struct Found: Sendable {
        /// The calibration.
        package var calibration: Calibration
        /// What it rests on.
        package var report = Report()
        /// Copies that were found, as examples of their causes.
        var causeExamples: [CauseExample] = []
        /// The copies, which need not be made again at another precision.
        var copies: [CalibrationFit.Copy] = []
        /// The classifiers that were adapted to them.
        var classifiers: [TileClassifier?]?

        init(calibration: Calibration) { self.calibration = calibration }
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
    /// `other` is a calibration on the same frames at another precision: outliers, copies and classifiers are taken from it. `report`
    /// hears of each frame judged, out of how many, and `passes` how far the passes over a frame are.
    package func labelFree(
        _ frames: FrameSet,
        like other: Found? = nil,
        report: (_ what: String, _ done: Int, _ all: Int) -> Void,
        passes: (ReconstructionProgress) -> Void = { _ in }
    ) throws(DataError) -> Found {
        let normal = try measured(frames, report: report, passes: passes)
        guard let fit, !normal.contains(where: { $0.tiles == nil }) else {
            return Found(calibration: calibration(ofImages: normal))
        }
        let indices = 0..<frames.count
        let folds = Folds.stretches(indices.map(frames.sortKey), folders: indices.map(frames.folder))
        let samples = zip(normal, folds).compactMap { measured, fold in
            measured.tiles.map { CalibrationFit.Normal($0, fold: fold) }
        }
        let far = other.map { ($0.report.leftOut, $0.report.tooMany) } ?? leftOut(among: samples, fit)
        let kept = samples.indices.filter { index in !far.0.contains { $0.index == index } }
            .map { Place(index: $0, fold: folds[$0]) }
        let copies: [CalibrationFit.Copy]
        if let other {
            copies = other.copies
        } else {
            copies = try faultyCopies(of: frames, kept, report: report)
        }
        let result = fit.fitted(
            to: kept.map { samples[$0.index] },
            copies: copies,
            classifiers: other?.classifiers,
            report: { report("fold", $0, $1) }
        )
        var found = Found(calibration: calibration(ofImages: kept.map { normal[$0.index] }))
        (found.copies, found.classifiers) = (copies, result.classifiers)
        found.causeExamples = result.causeExamples
        found.report = Report(result, kept, leftOut: far.0, tooMany: far.1)
        found.calibration.tiles = Calibration.Tiles(
            normal: result.tiles,
            limits: Limits(
                severity: result.severity,
                threshold: Threshold(result.threshold),
                normal: result.distances.map(\.severity),
                mask: found.calibration.image.mask
            )
        )
        try fitMasks(
            of: &found.calibration,
            result.folds,
            on: kept,
            frames,
            share: other?.calibration.extentShare
        )
        return found
    }

    /// What fits to the tiles of frames; `nil` for a model of the `reference` profile.
    private var fit: CalibrationFit? {
        guard let settings = model.description.realtime else { return nil }
        var fit = CalibrationFit()
        (fit.falseAlarmRate, fit.seed) = (options.falseAlarmRate, options.seed)
        fit.background = settings.normalisation.background
        fit.classifier = model.description.classifier ?? options.classifier
        return fit
    }

    /// A frame of the set that was kept, and its fold.
    struct Place: Sendable {
        let index: Int
        let fold: Int
    }

    /// More than this share of the frames is no exception, but what the frames are like.
    private static let mostLeftOut = 0.25

    /// The frames that are left out, and how many there would be where they are too many for that.
    private func leftOut(
        among samples: [CalibrationFit.Normal],
        _ fit: CalibrationFit
    ) -> ([CalibrationFit.Distance], Int) {
        guard !options.keepsOutliers else { return ([], 0) }
        let far = fit.outliers(among: samples)
        guard Double(far.count) <= Self.mostLeftOut * Double(samples.count) else { return ([], far.count) }
        return (far, 0)
    }

    /// Finds the threshold of masks and the share of it that counts in faulty frames, or takes a share that was found before.
    private func fitMasks(
        of calibration: inout Calibration,
        _ folds: [NormalTiles],
        on kept: [Place],
        _ frames: FrameSet,
        share: Double?
    ) throws(DataError) {
        let mask = try maskThreshold(of: calibration, folds, on: kept, frames)
        calibration.tiles?.limits.mask = mask
        if let share {
            calibration.extentShare = share
        } else {
            calibration.extentShare = try extentShare(of: calibration, folds, on: kept, frames)
        }
    }

    private func calibration(ofImages normal: [Measured]) -> Calibration {
        Calibration(
            scoreKind: options.scoreKind,
            maskWindow: options.maskWindow,
            image: Calibration.imageLimits(
                normalScores: normal.map(\.score),
                onsets: normal.map(\.onset),
                falseAlarmRate: options.falseAlarmRate,
                maskRate: options.maskRate
            )
        )
    }

    /// What was measured in a normal frame.
    private struct Measured: Sendable {
        let tiles: TileFigures?
        let score: Double
        let onset: Double
    }

    /// Measures each frame.
    private func measured(
        _ frames: FrameSet,
        report: (_ what: String, _ done: Int, _ all: Int) -> Void,
        passes: (ReconstructionProgress) -> Void
    ) throws(DataError) -> [Measured] {
        let filter = Calibration.smallComponents(window: options.maskWindow)
        // A reference model tells how far it is within a frame; of a realtime one, frames go side by side.
        let width = model.description.realtime == nil ? 1 : Compute.threads
        var found: [Measured] = []
        for start in stride(from: 0, to: frames.count, by: width) {
            let shown = try (start..<min(start + width, frames.count)).map { number throws(DataError) in
                try frames.frame(number)
            }
            let maps =
                width == 1
                ? shown.map { scorer.map(of: $0, report: passes) }
                : Compute.concurrentMap(shown.count) { scorer.map(of: shown[$0]) }
            for (frame, map) in zip(shown, maps) {
                let tiles = figures(of: frame, map)
                guard tiles?.isFinite ?? true else {
                    throw DataError(
                        "\(frames.name(found.count)): its grey values give no figures to calibrate on; is it blank, or are they 0 or "
                            + "below? Leave it out"
                    )
                }
                found.append(
                    Measured(
                        tiles: tiles,
                        score: options.scoreKind.value(of: ImageScores(map: map)),
                        onset: Double(filter.onset(of: map.windowMean(options.maskWindow)))
                    )
                )
            }
            report("normal frame", found.count, frames.count)
        }
        return found
    }

    private func figures(of frame: Frame, _ map: ScoreMap) -> TileFigures? {
        guard let settings = model.description.realtime else { return nil }
        return NormalTiles.figures(of: frame, map: map, background: settings.normalisation.background)
    }

    /// Copies of frames with faults of all classes and strengths put on, measured.
    private func faultyCopies(
        of frames: FrameSet,
        _ kept: [Place],
        report: (_ what: String, _ done: Int, _ all: Int) -> Void
    ) throws(DataError) -> [CalibrationFit.Copy] {
        var copies: [CalibrationFit.Copy] = []
        try forEachCopy(of: frames, kept, count: options.copies) { made, fold in
            let figures = figures(of: made.frame, scorer.map(of: made.frame))
            guard let figures, figures.isFinite, let fault = made.faults.first,
                let cause = Cause(rawValue: fault.kind.rawValue)
            else { return CalibrationFit.Copy?.none }
            let (cover, form) = (figures.cover(of: made.mask), fault.form.rawValue)
            return CalibrationFit.Copy(figures, cover: cover, cause: cause, form: form, fold: fold)
        } then: { found, done in
            copies += found.compactMap(\.self)
            report("copy with a fault", done, options.copies)
        }
        return copies
    }

    /// Puts faults on copies, some at once: `body` gets each with the fold of the frame that it is a copy of.
    private func forEachCopy<Value: Sendable>(
        of frames: FrameSet,
        _ kept: [Place],
        count: Int,
        _ body: @Sendable (_ made: LabelledFrame, _ fold: Int) -> Value,
        then: (_ values: [Value], _ done: Int) -> Void
    ) throws(DataError) {
        let white = try frames.white()
        for numbers in Array(0..<count).chunks(of: Compute.threads) {
            // Drawn, so that no frame gets faults of one class only.
            let drawn = numbers.map { number -> Place in
                var random = SplitMix64(state: options.seed &+ UInt64(number))
                return kept[Int.random(in: 0..<kept.count, using: &random)]
            }
            let sources = try drawn.map { place throws(DataError) in try frames.frame(place.index) }
            let values = Compute.concurrentMap(numbers.count) { place in
                let number = numbers[numbers.startIndex + place]
                let fault = TestFault.fault(number: number, seed: options.seed)
                let made = fault.injected(into: sources[place], white: white, rounded: false)
                return body(made, drawn[place].fold)
            }
            then(values, numbers.endIndex)
        }
    }

    /// Shares of the mask's threshold that are tried, and the copies that they are tried on.
    private static let extentShares = [1, 0.7, 0.5, 0.35, 0.25]
    private static let extentCopies = 60

    /// The share of the mask's threshold that gives the best masks of faults on copies, each by what was fitted to other folds.
    ///
    /// Faults of the whole frame have no outline to fit.
    private func extentShare(
        of calibration: Calibration,
        _ folds: [NormalTiles],
        on kept: [Place],
        _ frames: FrameSet
    ) throws(DataError) -> Double {
        guard options.copies > 0 else { return Calibration.usualExtentShare }
        let byFold = Self.calibrations(calibration, folds)
        var sums = [Double](repeating: 0, count: Self.extentShares.count)
        try forEachCopy(of: frames, kept, count: min(options.copies, Self.extentCopies)) { made, fold in
            guard made.faults.first?.kind != .zShift else { return [Double]() }
            return byFold[fold].dice(
                of: made.frame,
                map: scorer.map(of: made.frame),
                mask: made.mask,
                shares: Self.extentShares
            )
        } then: { found, _ in
            for dice in found { for (place, value) in dice.enumerated() { sums[place] += value } }
        }
        let best = sums.max() ?? 0
        return zip(Self.extentShares, sums).first { $1 == best }?.0 ?? Calibration.usualExtentShare
    }

    /// The calibration with what was fitted to the other folds, for each fold.
    private static func calibrations(_ calibration: Calibration, _ folds: [NormalTiles]) -> [Calibration] {
        folds.map { tiles in
            var calibration = calibration
            calibration.tiles?.normal = tiles
            return calibration
        }
    }

    /// More frames than these do not move the threshold of masks.
    private static let mostMasked = 100

    /// The threshold of masks of the residual weighted by the tiles, each frame by what was fitted to the other folds.
    private func maskThreshold(
        of calibration: Calibration,
        _ folds: [NormalTiles],
        on kept: [Place],
        _ frames: FrameSet
    ) throws(DataError) -> Threshold {
        let byFold = Self.calibrations(calibration, folds)
        let count = min(kept.count, Self.mostMasked)
        let chosen = (0..<count).map { kept[$0 * kept.count / count] }
        let filter = calibration.smallComponents
        var onsets: [Double] = []
        for some in chosen.chunks(of: Compute.threads) {
            let shown = try some.map { place throws(DataError) in
                (try frames.frame(place.index), place.fold)
            }
            onsets += Compute.concurrentMap(shown.count) { index in
                let (frame, fold) = shown[index]
                return Double(filter.onset(of: byFold[fold].maskMap(of: frame, map: scorer.map(of: frame))))
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
        var fit = TileClassifierFit(seed: options.seed)
        let all = lists.reduce(0) { $0 + $1.count }
        var done = 0
        for list in lists {
            var examples: [TileClassifierFit.Example] = []
            for rows in list.chunks(of: Compute.threads) {
                for (row, frame, map) in try mapped(rows) {
                    guard let figures = figures(of: frame, map) else { continue }
                    // Where a faulty frame is faulty must be known.
                    if !row.isFaulty {
                        examples.append(.init(figures))
                    } else if let mask = try row.readMask(height: frame.height, width: frame.width) {
                        examples.append(.init(figures, cover: figures.cover(of: mask)))
                    }
                }
                done += rows.count
                report("labelled frame", done, all)
            }
            fit.add(examples)
        }
        return fit.classifier { report("step of fitting the tile classifier", $0, $1) }
    }

    /// Examples of causes, from labelled frames whose list has a column `fault`.
    ///
    /// Only frames that the calibration finds faulty are examples, as only such frames get a cause.
    package func causeExamples(
        _ rows: [FramePaths.Labelled],
        calibration: Calibration,
        report: (_ done: Int, _ all: Int) -> Void
    ) throws(DataError) -> [CauseExample] {
        let faulty = rows.filter(\.isFaulty)
        var examples: [CauseExample] = []
        for rows in faulty.chunks(of: Compute.threads) {
            for (row, frame, map) in try mapped(rows) {
                let evidence = calibration.evidence(of: frame, map: map)
                if let cause = row.fault.flatMap(Cause.init(rawValue:)), let tiles = evidence.tiles,
                    let normal = calibration.tiles?.normal, calibration.verdict(of: evidence) == .faulty
                {
                    examples.append(CauseExample(cause, tiles, by: normal))
                }
            }
            report(rows.endIndex, faulty.count)
        }
        return examples
    }

    /// Frames with their score maps, computed side by side.
    private func mapped(
        _ rows: ArraySlice<FramePaths.Labelled>
    ) throws(DataError) -> [(FramePaths.Labelled, Frame, ScoreMap)] {
        let frames = try rows.map { row throws(DataError) in try row.readFrame() }
        let maps = Compute.concurrentMap(frames.count) { scorer.map(of: frames[$0]) }
        return zip(rows, zip(frames, maps)).map { ($0, $1.0, $1.1) }
    }

    /// The ranges inside the network over the frames, for `ModelDescription.ranges`; `nil` for a model of the `reference` profile.
    package func ranges(_ frames: FrameSet) throws(DataError) -> [ClosedRange<Float>]? {
        guard model.description.realtime != nil else { return nil }
        var ranges: [ClosedRange<Float>] = []
        for start in stride(from: 0, to: frames.count, by: Compute.threads) {
            let shown = try (start..<min(start + Compute.threads, frames.count)).map {
                number throws(DataError) in
                try frames.frame(number)
            }
            for found in Compute.concurrentMap(shown.count, { scorer.ranges(of: shown[$0]) ?? [] }) {
                ranges.unite(with: found)
            }
        }
        return ranges
    }

    /// A greedy search over labelled frames, for a threshold of severities or of published image scores, and for the masks'
    /// pixels.
    ///
    /// Severities are still relative to normal frames: their scales come from a label-free calibration, and so does the severity
    /// that stands for a `published` threshold. Faulty frames without a mask count for the image threshold only.
    package func greedy(
        _ rows: [FramePaths.Labelled],
        calibration: Calibration,
        published: Bool = false,
        report: (_ done: Int, _ all: Int) -> Void,
        passes: (ReconstructionProgress) -> Void = { _ in }
    ) throws(DataError) -> Calibration {
        guard rows.contains(where: \.isFaulty), rows.contains(where: { !$0.isFaulty }) else {
            throw DataError("the list of labelled frames needs both normal (0) and faulty (1) ones")
        }
        var figures: [Double] = []
        var maps: [ScoreMap] = []
        var masks: [Mask] = []
        for (index, row) in rows.enumerated() {
            let frame = try row.readFrame()
            let map = scorer.map(of: frame, report: passes)
            figures.append(
                published
                    ? options.scoreKind.value(of: ImageScores(map: map))
                    : calibration.severity(of: frame, map: map)
            )
            if let mask = try row.readMask(height: map.height, width: map.width) {
                maps.append(calibration.maskMap(of: frame, map: map))
                masks.append(mask)
            }
            report(index + 1, rows.count)
        }
        var result = calibration
        let image = GreedyThreshold.accuracy(scores: figures, faulty: rows.map(\.isFaulty))
        result.limits.threshold = Threshold(
            published ? try Self.severity(standingFor: image, calibration) : image
        )
        if masks.contains(where: { $0.area > 0 }) {
            result.limits.mask = Threshold(GreedyThreshold.dice(maps: maps, masks: masks))
        }
        return result
    }

    /// The severity that divides frames as a threshold of image scores does.
    private static func severity(
        standingFor threshold: GreedyThreshold,
        _ calibration: Calibration
    ) throws(DataError) -> GreedyThreshold {
        guard let severity = calibration.severity(ofScore: threshold.threshold) else {
            throw DataError(
                "the published search ends at the score \(Float(threshold.threshold)), below most normal frames: they would be called faulty; "
                    + "search over severity instead, without --published"
            )
        }
        return threshold.moved(to: severity)
    }
}

extension Array {
    /// Parts of so many elements one after another; the last may have fewer.
    func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
