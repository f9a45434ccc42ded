import Foundation
import Plate

/// Learns from a run's first frames what is normal there, or says why not.
///
/// Faults that were there from the start must not become normal: each well's frames are judged by what the other wells taught,
/// and those that lie far out are left out, again and again until none does. What the model at work finds must still be found.
struct ReferenceLearner {
    /// Why nothing is learnt.
    struct Refusal: Error {
        let reason: String
    }

    /// With fewer, a well has nobody to be compared with.
    static let fewestWells = 4
    /// With fewer frames, nobody can tell how much normal ones differ.
    static let fewestFrames = 30
    /// More frames than this share left out, and the plate is no reference.
    private static let mostLeftOut = 0.2
    /// A frame this far from those of the other wells stands out, in their spread; of 100 normal ones none was beyond 8.
    private static let far = 15.0
    /// Leaving frames out changes what stands out; it has settled by then.
    private static let rounds = 3
    /// Parts that the wells are dealt to; each is judged by what the others taught.
    private static let parts = 5
    /// Of the injected faults that are found, this share has to stay found.
    private static let mustStayFound = 0.9
    /// Share of normal frames whose mask may have any pixel.
    private static let maskRate = 0.05
    private static let seed: UInt64 = 1

    /// What judges at present.
    let calibration: Calibration
    let normal: NormalModel

    /// The new calibration, with what it was learnt from.
    func learn(from reference: RunReference) throws(Refusal) -> (Calibration, LearningFigures) {
        guard !reference.frames.isEmpty || !reference.witnesses.isEmpty else {
            throw Refusal(
                reason:
                    "no frame could be learnt from; the model knows frames of \(normal.width) x \(normal.height)"
            )
        }
        var leftOut = reference.leftOut
        let frames = try kept(of: reference, leftOut: &leftOut)
        var options = NormalModel.LearningOptions()
        options.falseAlarmRate = falseAlarmRate
        options.seed = Self.seed
        options.classifier = normal.classifier
        // Frames of one well are nearly alike: by each other they would all seem ordinary.
        options.turns = Self.turns(of: frames)
        var learnt = NormalModel.learnt(
            from: frames.map(\.table),
            size: reference.size,
            background: normal.background,
            options: options
        )
        learnt.maskThreshold = Self.maskThreshold(frames, weighed: learnt)
        var figures = figures(of: frames, leftOut, learnt)
        try check(learnt, with: reference, &figures)
        return (calibration(frames, learnt), figures)
    }

    /// The frames that may teach.
    private func kept(
        of reference: RunReference,
        leftOut: inout [Well: [RunReference.Reason: Int]]
    ) throws(Refusal) -> [RunReference.Frame] {
        var frames = reference.frames
        try Self.requireEnough(frames)
        for _ in 0..<Self.rounds {
            let severities = NormalModel.unseenSeverities(
                of: frames.map(\.table),
                turns: Self.turns(of: frames),
                seed: Self.seed
            )
            let isFar = severities.map { $0 > Self.far }
            guard isFar.contains(true) else { break }
            for (frame, isFar) in zip(frames, isFar) where isFar {
                leftOut[frame.well, default: [:]][.standsOut, default: 0] += 1
            }
            frames = zip(frames, isFar).filter { !$1 }.map(\.0)
            guard !frames.isEmpty else { break }
        }
        frames = Self.withoutHalfWells(frames, leftOut: &leftOut)
        let gone = leftOut.values.reduce(0) { $0 + $1.values.reduce(0, +) }
        guard Double(gone) <= Self.mostLeftOut * Double(reference.offered) else {
            throw Refusal(
                reason: "\(gone) of the first \(reference.offered) frames are no examples of normal ones "
                    + "(\(Self.words(leftOut))); learning from the rest could make a fault normal"
            )
        }
        try Self.requireEnough(frames)
        return frames
    }

    private static func requireEnough(_ frames: [RunReference.Frame]) throws(Refusal) {
        let wells = Set(frames.map(\.well)).count
        guard frames.count >= fewestFrames, wells >= fewestWells else {
            throw Refusal(
                reason: "\(frames.count) normal frames of \(wells) wells are too few to learn from; "
                    + "\(fewestFrames) of \(fewestWells) would do"
            )
        }
    }

    /// What is left of a well of which most frames were left out is no example either.
    private static func withoutHalfWells(
        _ frames: [RunReference.Frame],
        leftOut: inout [Well: [RunReference.Reason: Int]]
    ) -> [RunReference.Frame] {
        let counts = Dictionary(grouping: frames, by: \.well).mapValues(\.count)
        let gone = leftOut.mapValues { reasons in reasons.filter { $0.key != .frozen }.values.reduce(0, +) }
        let bad = Set(counts.filter { gone[$0.key, default: 0] > $0.value }.map(\.key))
        for well in bad { leftOut[well, default: [:]][.standsOut, default: 0] += counts[well, default: 0] }
        return frames.filter { !bad.contains($0.well) }
    }

    /// Frames of a well have their turn together, and neighbours in different ones.
    private static func turns(of frames: [RunReference.Frame]) -> [Int] {
        let wells = Set(frames.map(\.well)).sorted()
        let parts = min(parts, wells.count)
        let turn = Dictionary(uniqueKeysWithValues: wells.enumerated().map { ($1, $0 % parts) })
        return frames.map { turn[$0.well] ?? 0 }
    }

    /// Must not be blinder than what judges at present.
    private func check(
        _ learnt: NormalModel,
        with reference: RunReference,
        _ figures: inout LearningFigures
    ) throws(Refusal) {
        let missed = reference.witnesses.count { learnt.deviation(of: $0).severity <= learnt.threshold }
        guard missed == 0 else {
            throw Refusal(
                reason:
                    "\(missed) of \(reference.witnesses.count) frames that are strongly faulty now would pass"
            )
        }
        let before = reference.injected.map { normal.deviation(of: $0).severity > normal.threshold }
        let after = reference.injected.map { learnt.deviation(of: $0).severity > learnt.threshold }
        figures.injected = reference.injected.count
        (figures.foundBefore, figures.foundAfter) = (before.count { $0 }, after.count { $0 })
        guard Double(figures.foundAfter) >= (Self.mustStayFound * Double(figures.foundBefore)).rounded(.down)
        else {
            throw Refusal(
                reason: "of \(figures.injected) faults put on copies of these frames it would find "
                    + "\(figures.foundAfter), and \(figures.foundBefore) are found now"
            )
        }
    }

    private var falseAlarmRate: Double {
        if case .conformal(let threshold) = normal.origin { threshold.falseAlarmRate } else { 0.001 }
    }

    private func calibration(_ frames: [RunReference.Frame], _ learnt: NormalModel) -> Calibration {
        let scores = frames.map(\.score)
        let scale = SeverityScale(normalScores: scores)
        let image = ConformalThreshold(
            normalValues: scores.map { scale.severity(of: $0) },
            falseAlarmRate: falseAlarmRate
        )
        let mask = ConformalThreshold(
            normalValues: frames.map { Self.peak(of: $0.table, weighed: nil) },
            falseAlarmRate: Self.maskRate
        )
        var result = calibration
        result.scale = scale
        (result.threshold, result.thresholdOrigin) = (image.value, .conformal(image))
        (result.maskThreshold, result.maskOrigin) = (mask.value, .conformal(mask))
        result.normal = learnt
        return result
    }

    private static func maskThreshold(_ frames: [RunReference.Frame], weighed learnt: NormalModel) -> Double {
        ConformalThreshold(
            normalValues: frames.map { peak(of: $0.table, weighed: learnt) },
            falseAlarmRate: maskRate
        ).value
    }

    /// The largest window of the residual, from the tiles' figures: the map itself is gone, and a mask begins a little below.
    private static func peak(of table: TileTable, weighed learnt: NormalModel?) -> Double {
        let windows = table.values(of: .residualWindow).map { exp($0) }
        let weights = learnt.map { $0.weights(of: $0.deviation(of: table).suspicions) }
        let peaks = weights.map { zip(windows, $0).map { $0 * $1 } } ?? windows
        return Double(peaks.max() ?? 0)
    }

    private func figures(
        of frames: [RunReference.Frame],
        _ leftOut: [Well: [RunReference.Reason: Int]],
        _ learnt: NormalModel
    ) -> LearningFigures {
        var figures = LearningFigures()
        figures.frames = frames.count
        figures.wells = Set(frames.map(\.well)).count
        figures.leftOut = leftOut.values.reduce(0) { $0 + $1.values.reduce(0, +) }
        figures.reasons = Self.words(leftOut)
        figures.flaggedBefore = frames.count { $0.severity > normal.threshold }
        figures.flaggedAfter = frames.count { learnt.deviation(of: $0.table).severity > learnt.threshold }
        (figures.thresholdBefore, figures.thresholdAfter) = (normal.threshold, learnt.threshold)
        figures.falseAlarmRate = falseAlarmRate
        return figures
    }

    private static func words(_ leftOut: [Well: [RunReference.Reason: Int]]) -> String {
        RunReference.Reason.allCases.compactMap { reason in
            let count = leftOut.values.reduce(0) { $0 + $1[reason, default: 0] }
            return count > 0 ? "\(count) \(reason.rawValue)" : nil
        }.joined(separator: ", ")
    }
}
