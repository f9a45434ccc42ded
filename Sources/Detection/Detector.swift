package import Diffusion
import Mathematics
package import Plate
package import Tensors
import Verdict

/// Judges frames with a calibrated model; the same path for the daemon, for `score` and for calibration.
package final class Detector: Sendable {
    /// The model's name in every record: the first twelve digits of its file's SHA-256.
    package let modelName: String
    /// Everything about the model but its weights.
    package let description: ModelDescription
    private let scorer: FrameScorer
    /// What decides.
    let calibration: Calibration

    /// Loads a model file; one that is not calibrated is refused.
    ///
    /// Without a precision, the model's automatic one.
    package convenience init(path: String, precision: Precision? = nil) throws(ModelError) {
        let (model, name) = try Model.read(path: path)
        try self.init(model: model, name: name, path: path, precision: precision)
    }

    /// Takes a model that was read; `path` is for messages.
    package init(
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
                detail: "has no thresholds that this version can read; "
                    + "run `autoqc calibrate \(path) --normal FOLDER`"
            )
        }
        modelName = name
        description = model.description
        scorer = try FrameScorer(model: model, path: path, precision: precision)
        self.calibration = calibration
    }

    /// What the network multiplies.
    package var precision: Precision { scorer.precision }

    /// The same in records: `f32`, `bf16` or `int8`.
    package var precisionName: String { precision.rawValue }

    /// The same network, shared, with a run's own calibration instead of the model's, under another name.
    init(sharing other: Detector, calibration: Calibration, name: String) {
        modelName = name
        var description = other.description
        description.calibrations[other.precision] = calibration
        self.description = description
        scorer = other.scorer
        self.calibration = calibration
    }

    /// Judges a frame of at least one pixel; several threads may judge at once.
    ///
    /// `threshold` is a severity of the user's own; without it the calibration's decides. With less than all `patches` the cost
    /// is less (`Tier.half`). `report` hears how far the passes over the frame are.
    package func judge(
        _ frame: Frame,
        threshold: Double? = nil,
        patches: PatchSelection = .all,
        report: (ReconstructionProgress) -> Void = { _ in }
    ) -> Judgement {
        judgeWithEvidence(frame, threshold: threshold, patches: patches, report: report).0
    }

    /// The same, and what was measured in the frame.
    func judgeWithEvidence(
        _ frame: Frame,
        threshold: Double? = nil,
        patches: PatchSelection = .all,
        report: (ReconstructionProgress) -> Void = { _ in }
    ) -> (Judgement, Evidence) {
        let patches = canHalve(frame) ? patches : .all
        let reconstruction = scorer.reconstruction(of: frame, patches: patches, report: report)
        let (map, packing) = (scorer.map(of: reconstruction), reconstruction.packing)
        let shown = packing?.tilesShown(side: TileFigures.side)
        let evidence = calibration.evidence(of: frame, map: map, tilesShown: shown)
        var judgement = calibration.judge(
            evidence,
            map: packing?.withoutCopies(map) ?? map,
            threshold: threshold,
            causes: description.causes,
            masksNormal: packing == nil
        )
        judgement.detail = calibration.detail(of: frame, evidence)
        return (judgement, evidence)
    }

    /// Where a frame stands out, as in its judgement but for what its tiles look like; `nil` for a model without a classifier of tiles.
    package func detail(of frame: Frame) -> FrameDetail? { calibration.detail(of: frame) }

    /// Tiles of a frame that may be judged by half.
    ///
    /// The severity has means over shares of the tiles, which mean little for few of them; a smaller frame takes little time anyway.
    private static let fewestTilesToHalve = 400

    /// Whether each tile of a frame lies wholly inside a patch, and there are enough of them.
    private func canHalve(_ frame: Frame) -> Bool {
        let tiles = (frame.height / TileFigures.side) * (frame.width / TileFigures.side)
        return description.realtime?.diffusion.phases.patch.isMultiple(of: TileFigures.side) == true
            && tiles >= Self.fewestTilesToHalve
    }

    /// Share of normal frames that the calibration lets be called faulty; `nil` for a greedy threshold, which promises no rate.
    package var falseAlarmRate: Double? { calibration.limits.threshold.falseAlarmRate }

    /// Normal frames that the threshold was found from; `nil` for a greedy threshold.
    package var calibrationFrames: Int? {
        if case .conformal(let threshold) = calibration.limits.threshold.origin {
            threshold.frameCount
        } else {
            nil
        }
    }

    /// What to know about the verdicts on frames that the model was not calibrated for: another grey scale, or another size; `nil`
    /// for all others.
    ///
    /// Frames of one kind have the same warning, so that it can be given once.
    package func warning(for frame: Frame) -> String? { greyScaleWarning(frame) ?? sizeWarning(frame) }

    private func greyScaleWarning(_ frame: Frame) -> String? {
        guard let background = description.realtime?.normalisation.background, background > 0 else {
            return nil
        }
        let sample = stride(from: 0, to: frame.pixels.count, by: max(frame.pixels.count / 4096, 1)).map {
            frame.pixels[$0]
        }
        let ratio = sample.upperMedian / background
        guard ratio > Self.otherScale || ratio < 1 / Self.otherScale else { return nil }
        return
            "frames are far \(ratio > 1 ? "brighter" : "darker") than those that the model was calibrated on (their "
            + "background: \(background)); has the camera another bit depth or exposure? Find thresholds with `autoqc calibrate`"
    }

    /// Lamps vary less; bit depths differ by more.
    private static let otherScale: Float = 4

    private func sizeWarning(_ frame: Frame) -> String? {
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
    package func requireRealtime(path: String) throws(ModelError) {
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
