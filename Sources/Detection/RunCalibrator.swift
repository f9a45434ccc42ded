import Foundation
import Plate
import Verdict

/// Calibrates on a run's first frames, or says why not.
///
/// Faults that were there from the start must not become normal: each well's frames are judged by a mixture fitted to the other
/// wells, and those that are far out are left out, until none is. What the model's own calibration finds must still be found.
struct RunCalibrator {
    /// Why there is no calibration.
    struct Refusal: Error {
        let reason: String
    }

    /// With fewer, a well has no other wells to be compared with.
    static let fewestWells = 4
    /// With fewer frames, nobody can tell how much normal frames differ.
    static let fewestFrames = 30
    /// More frames than this share left out, and the plate is no reference.
    private static let mostLeftOut = 0.2
    /// Of the injected faults that are found, this share has to stay found.
    private static let mustStayFound = 0.9
    /// Share of normal frames whose mask may have any pixel.
    private static let maskRate = 0.05

    /// The model's own calibration.
    let calibration: Calibration
    /// Its tiles.
    let tiles: Calibration.Tiles

    /// The run's calibration, with figures that compare it with the model's own.
    func calibrate(on reference: RunReference) throws(Refusal) -> (Calibration, RunCalibrationFigures) {
        guard !reference.frames.isEmpty || !reference.witnesses.isEmpty else {
            throw Refusal(
                reason:
                    "no frame is large enough to be calibrated on"
            )
        }
        var leftOut = reference.leftOut
        let frames = try kept(of: reference, leftOut: &leftOut)
        let found = fit.fitted(to: Self.samples(frames))
        let calibration = calibration(frames, found)
        var figures = figures(of: frames, leftOut, calibration)
        try check(calibration, with: reference, &figures)
        return (calibration, figures)
    }

    private var fit: CalibrationFit {
        var fit = CalibrationFit()
        fit.falseAlarmRate = falseAlarmRate
        (fit.background, fit.classifier) = (tiles.normal.background, tiles.normal.classifier)
        return fit
    }

    private static func samples(_ frames: [RunReference.Frame]) -> [CalibrationFit.Normal] {
        zip(frames, Folds.stretches(frames.map(\.well))).map { CalibrationFit.Normal($0.tiles, fold: $1) }
    }

    /// The frames that it may be calibrated on.
    private func kept(
        of reference: RunReference,
        leftOut: inout [Well: [RunReference.Reason: Int]]
    ) throws(Refusal) -> [RunReference.Frame] {
        var frames = reference.frames
        try Self.requireEnough(frames)
        let far = Set(fit.outliers(among: Self.samples(frames)).map(\.index))
        for index in far { leftOut[frames[index].well, default: [:]][.standsOut, default: 0] += 1 }
        frames = frames.indices.filter { !far.contains($0) }.map { frames[$0] }
        frames = Self.withoutHalfWells(frames, leftOut: &leftOut)
        let gone = leftOut.values.reduce(0) { $0 + $1.values.reduce(0, +) }
        guard Double(gone) <= Self.mostLeftOut * Double(reference.offered) else {
            throw Refusal(
                reason: "\(gone) of the first \(reference.offered) frames are no examples of normal ones "
                    + "(\(Self.words(leftOut))); a calibration on the rest could make a fault normal"
            )
        }
        try Self.requireEnough(frames)
        return frames
    }

    private static func requireEnough(_ frames: [RunReference.Frame]) throws(Refusal) {
        let wells = Set(frames.map(\.well)).count
        guard frames.count >= fewestFrames, wells >= fewestWells else {
            throw Refusal(
                reason: "\(frames.count) normal frames of \(wells) wells are too few to calibrate on; "
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

    /// Refuses a calibration that misses what the model's own calibration finds.
    private func check(
        _ calibration: Calibration,
        with reference: RunReference,
        _ figures: inout RunCalibrationFigures
    ) throws(Refusal) {
        let missed = reference.witnesses.count { !isFaulty($0, by: calibration) }
        guard missed == 0 else {
            throw Refusal(
                reason:
                    "\(missed) of \(reference.witnesses.count) frames that are strongly faulty now would pass"
            )
        }
        figures.injected = reference.injected.count
        figures.foundBefore = reference.injected.count { isFaulty($0, by: self.calibration) }
        figures.foundAfter = reference.injected.count { isFaulty($0, by: calibration) }
        let wanted = (Self.mustStayFound * Double(figures.foundBefore)).rounded(.down)
        guard Double(figures.foundAfter) >= wanted else {
            throw Refusal(
                reason: "of \(figures.injected) faults put on copies of these frames it would find "
                    + "\(figures.foundAfter), and \(figures.foundBefore) are found now"
            )
        }
    }

    private func isFaulty(_ figures: TileFigures, by calibration: Calibration) -> Bool {
        calibration.verdict(ofTiles: figures) == .faulty
    }

    private var falseAlarmRate: Double { tiles.limits.threshold.falseAlarmRate ?? 0.001 }

    private func calibration(_ frames: [RunReference.Frame], _ found: CalibrationFit.Result) -> Calibration {
        var result = calibration
        result.image = Calibration.imageLimits(
            normalScores: frames.map(\.score),
            onsets: frames.map { Self.largestResidual(of: $0.tiles, weightedBy: nil) },
            falseAlarmRate: falseAlarmRate,
            maskRate: Self.maskRate
        )
        let mask = ConformalThreshold(
            normalValues: frames.map { Self.largestResidual(of: $0.tiles, weightedBy: found.tiles) },
            falseAlarmRate: Self.maskRate
        )
        result.tiles = Calibration.Tiles(
            normal: found.tiles,
            limits: Limits(
                severity: found.severity,
                threshold: Threshold(found.threshold),
                normal: found.distances.map(\.severity),
                mask: Threshold(mask)
            )
        )
        return result
    }

    /// The largest window of the residual, from the tiles' figures, as the map is not kept; a mask begins a little below.
    private static func largestResidual(of figures: TileFigures, weightedBy normal: NormalTiles?) -> Double {
        let windows = figures.largestResiduals
        let weights = normal.map { $0.weights(of: $0.evidence(of: figures)) }
        let weighted = weights.map { zip(windows, $0).map { $0 * $1 } } ?? windows
        return Double(weighted.max() ?? 0)
    }

    private func figures(
        of frames: [RunReference.Frame],
        _ leftOut: [Well: [RunReference.Reason: Int]],
        _ found: Calibration
    ) -> RunCalibrationFigures {
        var figures = RunCalibrationFigures()
        figures.frames = frames.count
        figures.wells = Set(frames.map(\.well)).count
        figures.leftOut = leftOut.values.reduce(0) { $0 + $1.values.reduce(0, +) }
        figures.reasons = Self.words(leftOut)
        figures.flaggedBefore = frames.count { isFaulty($0.tiles, by: calibration) }
        figures.flaggedAfter = frames.count { isFaulty($0.tiles, by: found) }
        figures.thresholdBefore = calibration.limits.threshold.value
        figures.thresholdAfter = found.limits.threshold.value
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
