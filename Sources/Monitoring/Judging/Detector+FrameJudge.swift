public import Detection
public import Plate

extension Detector: FrameJudge {
    /// The model's name in every record.
    public var model: String { modelName }

    /// Judges alike at every tier.
    public func judge(_ frames: [Frame], tier: Tier) -> [Judgement] { judge(frames) }
}
