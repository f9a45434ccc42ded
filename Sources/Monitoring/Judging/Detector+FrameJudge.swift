public import Detection
public import Plate

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

extension RunDetector: FrameJudge {
    /// Name of the model that every run begins with.
    public var model: String { base.model }

    /// What the network multiplies.
    public var precisionName: String { base.precisionName }

    /// Whether the model can do with fewer passes.
    public var canReduce: Bool { base.canReduce }

    /// What every run begins with.
    public var falseAlarmRate: Double? { base.falseAlarmRate }

    /// What the run taught, or the model, which then shows it the frames.
    public func judging(_ well: Well, of run: String) -> any FrameJudge { detector(for: well, of: run) }

    /// Judges a frame of no run.
    public func judge(_ frame: Frame, tier: Tier) throws -> Judgement { base.judge(frame, tier: tier) }

    /// What to know about frames of another size.
    public func warning(for frame: Frame) -> String? { base.warning(for: frame) }
}

extension WellDetector: FrameJudge {
    /// Name of the model, or of what the run taught.
    public var model: String { detector.model }

    /// What the network multiplies.
    public var precisionName: String { detector.precisionName }

    /// Whether it can do with fewer passes.
    public var canReduce: Bool { detector.canReduce }

    /// What its threshold was found for.
    public var falseAlarmRate: Double? { detector.falseAlarmRate }

    /// The file of what the run taught.
    public var modelPath: String? { path }

    /// What to know about frames of another size.
    public func warning(for frame: Frame) -> String? { detector.warning(for: frame) }
}
