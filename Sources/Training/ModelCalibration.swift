package import Detection
package import Diffusion
import Plate
import Tensors
import Verdict

/// A report of lengthy work while it goes on.
package enum WorkReport {
    /// A line of progress, which replaces the last one; `isLast` at the end of a stage.
    case progress(String, isLast: Bool)
    /// Progress of the passes over the frame of this name.
    case passes(ReconstructionProgress, of: String)
    /// A line of its own.
    case note(String)
}

/// Calibrates a model at every precision that it can run at here, as `calibrate` and `train` do.
package struct ModelCalibration {
    private let path: String
    private let frames: FrameSet
    private let options: Calibrator.Options
    private let faulty: String?
    private let causes: [String]
    private let report: (WorkReport) -> Void

    /// Plans a calibration on normal frames; `path` is the model file, for messages.
    ///
    /// `faulty` is a CSV list of labelled frames for the greedy search, if it is to follow. `causes` are CSV lists of
    /// labelled frames: causes are fitted to their faulty frames, and the tiles of faults as well where there are normal
    /// frames and masks.
    package init(
        path: String,
        frames: FrameSet,
        options: Calibrator.Options,
        faulty: String? = nil,
        causes: [String] = [],
        report: @escaping (WorkReport) -> Void = { _ in }
    ) {
        (self.path, self.frames, self.options) = (path, frames, options)
        (self.faulty, self.causes, self.report) = (faulty, causes, report)
    }

    /// Finds the ranges inside the network and the thresholds at each precision, and stores them in the model.
    package func store(in model: inout Model) throws {
        let exact = try Calibrator(model: model, path: path, options: options)
        let precision = model.description.automaticPrecision
        model.description.ranges = try exact.ranges(frames)
        var options = options
        options.classifier =
            try fittedClassifier(model, precision: precision) ?? model.description.classifier
            ?? options.classifier
        model.description.calibrations = [:]
        (model.description.training.frameHeight, model.description.training.frameWidth) = (
            frames.height, frames.width
        )
        model.description.calibrations = try calibrations(of: model, options)
        model.description.calibratedOn = nil
    }

    /// The classifier of tiles; `nil` where the lists have no masks or no normal frames.
    private func fittedClassifier(_ model: Model, precision: Precision) throws -> TileClassifier? {
        guard !causes.isEmpty, model.description.realtime != nil else { return nil }
        let calibrator = try Calibrator(model: model, path: path, options: options, precision: precision)
        let found = try calibrator.classifier(
            try causes.map { try FramePaths.labelled(csv: $0) },
            report: { report(.progress("\($0) \($1)/\($2)", isLast: $1 == $2)) }
        )
        if found == nil {
            report(
                .note(
                    "\(causes.joined(separator: ", ")): no list has normal frames and faulty ones with masks, so tiles of "
                        + "faults were not fitted"
                )
            )
        }
        return found
    }

    /// Fits the model of causes, at the precision that the model runs in.
    package func storeCauses(in model: inout Model) throws {
        guard !causes.isEmpty else { return }
        let precision = model.description.automaticPrecision
        guard let calibration = model.description.calibrations[precision] else { return }
        let calibrator = try Calibrator(model: model, path: path, options: options, precision: precision)
        let found = try calibrator.causes(
            try causes.flatMap { try FramePaths.labelled(csv: $0) },
            calibration: calibration,
            report: { report(.progress("faulty frame \($0)/\($1)", isLast: $0 == $1)) }
        )
        guard let found else {
            throw DataError(
                "\(causes.joined(separator: ", ")): no two causes to tell apart; its column fault names one for each faulty frame, such as \(Cause.airBubble.rawValue)"
            )
        }
        model.description.causes = found
        let names = found.causes.map(\.rawValue).joined(separator: ", ")
        report(.note("causes fitted to \(found.frames) faulty frames: \(names)"))
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
        var frame = 0
        let calibration = try calibrator.labelFree(
            frames,
            report: { done, all in
                frame = done
                report(
                    .progress("calibrating on normal frame \(done)/\(all)\(suffix)", isLast: done == all)
                )
            },
            passes: { report(.passes($0, of: "normal frame \(frame + 1)")) }
        )
        guard let faulty else { return calibration }
        frame = 0
        return try calibrator.greedy(
            try FramePaths.labelled(csv: faulty),
            calibration: calibration,
            report: { done, all in
                frame = done
                report(.progress("labelled frame \(done)/\(all)\(suffix)", isLast: done == all))
            },
            passes: { report(.passes($0, of: "labelled frame \(frame + 1)")) }
        )
    }
}
