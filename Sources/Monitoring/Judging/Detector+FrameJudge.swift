public import Detection

extension Detector: FrameJudge {
    /// The model's name in every record.
    public var model: String { modelName }

    /// What a conformal threshold was found for; a greedy one promises no rate.
    public var falseAlarmRate: Double? {
        guard case .conformal(let threshold) = description.calibrations[precision]?.thresholdOrigin else {
            return nil
        }
        return threshold.falseAlarmRate
    }
}
