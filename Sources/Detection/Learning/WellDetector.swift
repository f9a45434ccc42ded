package import Plate

/// What judges some frames of one well: the model, or what the well's run taught (`RunDetector`).
package struct WellDetector: Sendable {
    /// Judges.
    package let detector: Detector
    /// The file of what the run taught; `nil` while the model's own calibration judges.
    package let path: String?
    /// Is shown every frame that may teach something.
    let lesson: (@Sendable (Frame, Calibration.Findings) -> Void)?

    /// Judges a frame, and lets it teach; several threads may judge at once.
    ///
    /// `threshold` is a severity of the user's own; without it the calibration's decides.
    package func judge(_ frame: Frame, threshold: Double?) -> Judgement {
        guard let lesson else { return detector.judge(frame, threshold: threshold) }
        let findings = detector.findings(of: frame, threshold: threshold)
        lesson(frame, findings)
        return findings.judgement
    }
}
