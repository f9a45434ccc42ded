package import Detection
package import Plate

extension Detector: FrameJudge {
    /// The model's name in every record.
    package var model: String { modelName }

    /// Judges a frame.
    package func judge(_ frame: Frame, threshold: Double?) -> Judgement {
        judge(frame, threshold: threshold) { _ in }
    }

    /// What a conformal threshold was found for; a greedy one promises no rate.
    package var falseAlarmRate: Double? {
        guard case .conformal(let threshold) = description.calibrations[precision]?.thresholdOrigin else {
            return nil
        }
        return threshold.falseAlarmRate
    }
}

extension RunDetector: FrameJudge {
    /// Name of the model that every run begins with.
    package var model: String { base.model }

    /// What the network multiplies.
    package var precisionName: String { base.precisionName }

    /// What every run begins with.
    package var falseAlarmRate: Double? { base.falseAlarmRate }

    /// What the run taught, or the model, which then shows it the frames.
    package func judging(_ well: Well, of run: String) -> any FrameJudge { detector(for: well, of: run) }

    /// Judges a frame of no run.
    package func judge(_ frame: Frame, threshold: Double?) -> Judgement {
        base.judge(frame, threshold: threshold)
    }

    /// What to know about frames of another size.
    package func warning(for frame: Frame) -> String? { base.warning(for: frame) }
}

extension WellDetector: FrameJudge {
    /// Name of the model, or of what the run taught.
    package var model: String { detector.model }

    /// What the network multiplies.
    package var precisionName: String { detector.precisionName }

    /// What its threshold was found for.
    package var falseAlarmRate: Double? { detector.falseAlarmRate }

    /// The file of what the run taught.
    package var modelPath: String? { path }

    /// What to know about frames of another size.
    package func warning(for frame: Frame) -> String? { detector.warning(for: frame) }
}
