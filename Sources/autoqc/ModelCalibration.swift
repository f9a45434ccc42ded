import Detection
import Plate
import Tensors
import Training
import Verdict

/// Calibrates a model at every precision that it can run at here, as `calibrate` and `train` do.
struct ModelCalibration {
    /// The model file, for messages.
    let path: String
    /// Normal frames.
    let frames: FrameSet
    /// What the calibrator is told.
    let options: Calibrator.Options
    /// CSV list of labelled frames for the greedy search, if it is to follow.
    var faulty: String?
    /// CSV lists of labelled frames, if what faults look like is to be learnt: their causes, and their tiles where there are
    /// normal frames and masks.
    var causes: [String] = []

    /// Finds the ranges inside the network and the thresholds at each precision, and stores them in the model.
    func store(in model: inout Model) throws {
        let exact = try Calibrator(model: model, path: path, options: options)
        let precision = model.description.automaticPrecision
        model.description.ranges = try exact.ranges(frames)
        var options = options
        options.classifier =
            try learntClassifier(model, precision: precision) ?? model.description.classifier
            ?? options.classifier
        model.description.calibrations = [:]
        (model.description.training.frameHeight, model.description.training.frameWidth) = (
            frames.height, frames.width
        )
        model.description.calibrations = try calibrations(of: model, options)
        model.description.calibratedOn = nil
    }

    /// What the tiles of faults look like; `nil` if the lists do not say.
    private func learntClassifier(_ model: Model, precision: Precision) throws -> TileClassifier? {
        guard !causes.isEmpty, model.description.realtime != nil else { return nil }
        let calibrator = try Calibrator(model: model, path: path, options: options, precision: precision)
        var terminal = Terminal()
        let found = try calibrator.classifier(
            try causes.map { try FramePaths.labelled(csv: $0) },
            report: { terminal.progress("\($0) \($1)/\($2)", isLast: $1 == $2) }
        )
        if found == nil {
            Terminal.note(
                "\(causes.joined(separator: ", ")): no list has normal frames and faulty ones with masks, so tiles of faults "
                    + "were not learnt"
            )
        }
        return found
    }

    /// Learns what tells the causes of faults, at the precision that the model runs in.
    func storeCauses(in model: inout Model) throws {
        guard !causes.isEmpty else { return }
        let precision = model.description.automaticPrecision
        guard let calibration = model.description.calibrations[precision] else { return }
        let calibrator = try Calibrator(model: model, path: path, options: options, precision: precision)
        var terminal = Terminal()
        let found = try calibrator.causes(
            try causes.flatMap { try FramePaths.labelled(csv: $0) },
            calibration: calibration,
            report: { terminal.progress("faulty frame \($0)/\($1)", isLast: $0 == $1) }
        )
        guard let found else {
            throw DataError(
                "\(causes.joined(separator: ", ")): no two causes to tell apart; its column fault names one for each faulty frame, such as \(Cause.airBubble.rawValue)"
            )
        }
        model.description.causes = found
        Terminal.note(
            "causes learnt from \(found.frames) faulty frames: \(found.causes.map(\.rawValue).joined(separator: ", "))"
        )
    }

    private func calibrations(
        of model: Model,
        _ options: Calibrator.Options
    ) throws -> [Precision: Calibration] {
        let isRealtime = model.description.realtime != nil
        var found: [Precision: Calibration] = [:]
        for precision in Precision.allCases where precision == .float32 || isRealtime && precision.isSupported
        {
            let calibrator = try Calibrator(
                model: model,
                path: path,
                options: options,
                precision: precision
            )
            found[precision] = try calibration(
                with: calibrator,
                isRealtime ? " in \(precision.rawValue)" : ""
            )
        }
        return found
    }

    private func calibration(with calibrator: Calibrator, _ suffix: String) throws -> Calibration {
        var terminal = Terminal()
        var frame = 0
        let calibration = try calibrator.labelFree(
            frames,
            report: { done, all in
                frame = done
                terminal.progress("calibrating on normal frame \(done)/\(all)\(suffix)", isLast: done == all)
            },
            passes: { terminal.passes($0, of: "normal frame \(frame + 1)") }
        )
        guard let faulty else { return calibration }
        frame = 0
        return try calibrator.greedy(
            try FramePaths.labelled(csv: faulty),
            calibration: calibration,
            report: { done, all in
                frame = done
                terminal.progress("labelled frame \(done)/\(all)\(suffix)", isLast: done == all)
            },
            passes: { terminal.passes($0, of: "labelled frame \(frame + 1)") }
        )
    }
}
