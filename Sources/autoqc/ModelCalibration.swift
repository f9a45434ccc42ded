import Detection
import Plate
import Tensors
import Training

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
    /// CSV lists of faulty frames with their causes, if these are to be learnt.
    var causes: [String] = []

    /// Finds the ranges inside the network and the thresholds at each precision, and stores them in the model.
    func store(in model: inout Model) throws {
        let exact = try Calibrator(model: model, path: path, options: options)
        model.description.ranges = try exact.ranges(frames)
        (model.description.calibrations, model.description.reducedCalibrations) = ([:], [:])
        (model.description.training.frameHeight, model.description.training.frameWidth) = (
            frames.height, frames.width
        )
        let full = try calibrations(of: model, "")
        let reduced = try model.reduced.map { try calibrations(of: $0, ", tier reduced") } ?? [:]
        (model.description.calibrations, model.description.reducedCalibrations) = (full, reduced)
        model.description.learntFrom = nil
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

    private func calibrations(of model: Model, _ suffix: String) throws -> [Precision: Calibration] {
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
                isRealtime ? " in \(precision.rawValue)\(suffix)" : suffix
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
