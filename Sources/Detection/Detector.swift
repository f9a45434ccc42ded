public import Plate
public import Tensors

/// Judges frames with a calibrated model; the same path for the daemon, for `score` and for calibration.
public final class Detector: Sendable {
    /// The model's name in every record: the first twelve digits of its file's SHA-256.
    public let modelName: String
    /// Everything about the model but its weights.
    public let description: ModelDescription
    private let full: Way
    /// With half of the passes over a frame, for models that are calibrated for that.
    private let reduced: Way?

    /// One way of judging.
    private struct Way {
        let scorer: FrameScorer
        let calibration: Calibration
    }

    /// Loads a model file; one that is not calibrated is refused.
    ///
    /// Without a precision, the model's automatic one.
    public convenience init(path: String, precision: Precision? = nil) throws(ModelError) {
        let (model, name) = try Model.read(path: path)
        try self.init(model: model, name: name, path: path, precision: precision)
    }

    /// Takes a model that was read; `path` is for messages.
    public init(
        model: Model,
        name: String,
        path: String,
        precision: Precision? = nil
    ) throws(ModelError) {
        let precision = precision ?? model.description.automaticPrecision
        if model.description.calibration != nil, model.description.calibrations[precision] == nil {
            throw ModelError(
                code: .notCalibrated,
                path: path,
                detail: "has no thresholds for \(precision.rawValue); `autoqc calibrate` finds them, and "
                    + "--precision f32 does without"
            )
        }
        guard let calibration = model.description.calibrations[precision] else {
            throw ModelError(
                code: .notCalibrated,
                path: path,
                detail: "has no thresholds yet; run `autoqc calibrate \(path) --normal FOLDER`"
            )
        }
        func way(_ model: Model, _ calibration: Calibration) throws(ModelError) -> Way {
            Way(
                scorer: try FrameScorer(model: model, path: path, precision: precision),
                calibration: calibration
            )
        }
        self.modelName = name
        self.description = model.description
        full = try way(model, calibration)
        if let other = model.reduced, let calibration = model.description.reducedCalibrations[precision] {
            reduced = try way(other, calibration)
        } else {
            reduced = nil
        }
    }

    /// What the network multiplies.
    public var precision: Precision { full.scorer.precision }

    /// Whether it can do with half of the passes over a frame, at `Tier.reduced`.
    public var canReduce: Bool { reduced != nil }

    /// The same in records: `f32`, `bf16` or `int8`.
    public var precisionName: String { precision.rawValue }

    /// What decides at `Tier.full`.
    var calibration: Calibration { full.calibration }

    /// The same network, shared, with what a run taught instead of the model's own calibration, under another name.
    ///
    /// What is judged at `Tier.reduced` is judged as before.
    init(sharing other: Detector, calibration: Calibration, name: String) {
        modelName = name
        var description = other.description
        description.calibrations[other.precision] = calibration
        self.description = description
        full = Way(scorer: other.full.scorer, calibration: calibration)
        reduced = other.reduced
    }

    /// Judges a frame at `Tier.full`, and keeps what the verdict follows from.
    func findings(of frame: Frame) -> Calibration.Findings {
        let map = full.scorer.map(of: frame)
        return full.calibration.findings(of: frame, map: map, causes: description.causes)
    }

    /// Judges a frame of at least one pixel; several threads may judge at once.
    ///
    /// `Tier.reduced` makes half of the passes, where `canReduce`.
    public func judge(_ frame: Frame, tier: Tier = .full) -> Judgement {
        judge(frame, tier: tier) { _ in }
    }

    /// The same; `report` hears how far the passes over the frame are.
    public func judge(
        _ frame: Frame,
        tier: Tier = .full,
        report: (ReconstructionProgress) -> Void
    ) -> Judgement {
        let way = tier == .reduced ? reduced ?? full : full
        let map = way.scorer.map(of: frame, report: report)
        return way.calibration.findings(of: frame, map: map, causes: description.causes).judgement
    }

    /// What to know about the verdicts on frames of a size that the model was not made for; `nil` where it was.
    public func warning(for frame: Frame) -> String? {
        guard let height = description.training.frameHeight, let width = description.training.frameWidth,
            frame.height != height || frame.width != width
        else { return nil }
        return
            "frames of \(frame.width) x \(frame.height) are judged with thresholds found on \(width) x \(height); "
            + "find others with `autoqc calibrate`"
    }
}

extension ModelDescription {
    /// Refuses a model that cannot keep up with a plate; `path` is for messages.
    public func requireRealtime(path: String) throws(ModelError) {
        guard realtime == nil else { return }
        throw ModelError(
            code: .notRealtime,
            path: path,
            detail:
                "is \(method.rawValue) in the \(profile.name) profile, which takes minutes to hours a frame; watch with "
                + "a model trained with --profile realtime, and use this one with `score`"
        )
    }
}
