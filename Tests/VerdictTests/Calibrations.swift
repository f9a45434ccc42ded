import Detection
import Evaluation
import Plate

@testable import Verdict

extension Calibration {
    /// Fits a calibration to normal frames of one size, as `Calibrator` does; `map` stands for their residual.
    init(
        fittedTo frames: [Frame],
        map: (Frame) -> ScoreMap,
        falseAlarmRate: Double = 0.05,
        classifier: TileClassifier? = nil
    ) throws {
        let maps = frames.map(map)
        let filter = Calibration.smallComponents(window: 16)
        self.init(
            scoreKind: .patch,
            maskWindow: 16,
            image: Calibration.imageLimits(
                normalScores: maps.map { ImageScores(map: $0).patch },
                onsets: maps.map { Double(filter.onset(of: $0.windowMean(16))) },
                falseAlarmRate: falseAlarmRate,
                maskRate: 0.05
            )
        )
        var fit = CalibrationFit()
        (fit.falseAlarmRate, fit.classifier) = (falseAlarmRate, classifier)
        let figures = zip(frames, maps).compactMap { TileFigures(frame: $0, map: $1, background: 100) }
        let found = fit.fitted(to: figures.enumerated().map { .init($1, fold: $0 % 5) })
        tiles = Calibration.Tiles(
            normal: found.tiles,
            limits: Limits(
                severity: found.severity,
                threshold: Threshold(found.threshold),
                normal: found.distances.map(\.severity),
                mask: image.mask
            )
        )
    }
}
