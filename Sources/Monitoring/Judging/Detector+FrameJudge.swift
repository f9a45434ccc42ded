public import Detection

extension Detector: FrameJudge {
    /// The model's name in every record.
    public var model: String { modelName }
}
