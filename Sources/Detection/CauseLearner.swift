package import Plate

/// Collects faulty frames of known causes and learns to tell these apart.
package struct CauseLearner {
    private let calibration: Calibration
    private var examples: [(cause: Cause, values: [Double])] = []

    /// `calibration` says which frames are faulty.
    package init(calibration: Calibration) { self.calibration = calibration }

    /// Takes a frame with its score map, if it is found to be faulty.
    package mutating func add(_ frame: Frame, map: ScoreMap, cause: Cause) {
        guard let normal = calibration.normal, let tiles = normal.measured(frame, map: map),
            tiles.deviation.severity > normal.threshold
        else { return }
        examples.append((cause, normal.evidence(of: tiles.table, tiles.deviation).values))
    }

    /// What tells the causes apart; `nil` if there are not two.
    package var model: CauseModel? { CauseModel(examples) }
}
