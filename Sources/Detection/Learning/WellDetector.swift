public import Plate

/// What judges some frames of one well: the model, or what the well's run taught (`RunDetector`).
public struct WellDetector: Sendable {
    /// Judges.
    public let detector: Detector
    /// The file of what the run taught; `nil` while the model's own calibration judges.
    public let path: String?
    /// Is shown every frame that may teach something.
    let lesson: (@Sendable (Frame, Calibration.Findings) -> Void)?

    /// Judges a frame, and lets it teach; several threads may judge at once.
    public func judge(_ frame: Frame, tier: Tier) -> Judgement {
        guard let lesson, tier != .reduced else { return detector.judge(frame, tier: tier) }
        let findings = detector.findings(of: frame)
        lesson(frame, findings)
        return findings.judgement
    }
}
