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
    private let searchesScores: Bool
    private let causes: [String]
    private let report: (WorkReport) -> Void

    /// Plans a calibration on normal frames; `path` is the model file, for messages.
    ///
    /// `faulty` is a CSV list of labelled frames for the greedy search, if it is to follow: over severities, or as published over
    /// image scores (`searchesScores`, of a model of the `reference` profile). `causes` are CSV lists of
    /// labelled frames: causes are fitted to their faulty frames, and the tiles of faults as well where there are normal
    /// frames and masks.
    package init(
        path: String,
        frames: FrameSet,
        options: Calibrator.Options,
        faulty: String? = nil,
        searchesScores: Bool = false,
        causes: [String] = [],
        report: @escaping (WorkReport) -> Void = { _ in }
    ) {
        (self.path, self.frames, self.options) = (path, frames, options)
        (self.faulty, self.causes, self.report) = (faulty, causes, report)
        self.searchesScores = searchesScores
    }

    /// Finds grey scale, ranges inside the network, thresholds at each precision and causes, and stores them in the model.
    ///
    /// Returns what the calibration rests on, at the first precision: the preferred one, else bfloat16 where the CPU has it.
    package func store(in model: inout Model) throws -> Calibrator.Report {
        if case .realtime(var settings) = model.description.profile {
            settings.normalisation = try frames.normalisation()
            model.description.profile = .realtime(settings)
        }
        model.description.ranges = try Calibrator(model: model, path: path, options: options).ranges(frames)
        if let found = try fittedClassifier(model) { model.description.classifier = found }
        model.description.classifier = model.description.classifier ?? options.classifier
        model.description.calibrations = [:]
        (model.description.training.frameHeight, model.description.training.frameWidth) = (
            frames.height, frames.width
        )
        (model.description.calibratedOn, model.description.coverage) = (nil, nil)
        model.description.calibrationFiles = frames.files
        var report = Calibrator.Report()
        var first: Calibrator.Found?
        for precision in Self.precisions(of: model) {
            let calibrator = try Calibrator(model: model, path: path, options: options, precision: precision)
            let isRealtime = model.description.realtime != nil
            let found = try calibration(
                with: calibrator,
                like: first,
                isRealtime ? " in \(precision.rawValue)" : ""
            )
            model.description.calibrations[precision] = found.calibration
            if first == nil {
                (first, report) = (found, found.report)
                let examples = found.causeExamples + (try listedExamples(calibrator, found.calibration))
                model.description.causes = CauseModel(examples) ?? model.description.causes
            }
        }
        return report
    }

    /// The precisions that a model can run at here.
    ///
    /// Copies, the classifier and causes are those of the first, so that is the one in which frames will be judged.
    private static func precisions(of model: Model) -> [Precision] {
        guard model.description.realtime != nil else { return [.float32] }
        let all: [Precision] = [.bfloat16, .float32, .int8].filter { $0 == .float32 || $0.isSupported }
        return all.filter { $0 == model.description.preferredPrecision }
            + all.filter { $0 != model.description.preferredPrecision }
    }

    /// The classifier of tiles; `nil` where the lists have no masks or no normal frames.
    private func fittedClassifier(_ model: Model) throws -> TileClassifier? {
        guard !causes.isEmpty, model.description.realtime != nil else { return nil }
        let calibrator = try Calibrator(model: model, path: path, options: options)
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

    /// The faulty frames of the lists, as examples of causes.
    private func listedExamples(
        _ calibrator: Calibrator,
        _ calibration: Calibration
    ) throws -> [CauseExample] {
        guard !causes.isEmpty else { return [] }
        let rows = try causes.flatMap { try FramePaths.labelled(csv: $0) }
        let examples = try calibrator.causeExamples(
            rows,
            calibration: calibration,
            report: { report(.progress("faulty frame \($0)/\($1)", isLast: $0 == $1)) }
        )
        guard CauseModel(examples) != nil else {
            throw DataError(
                "\(causes.joined(separator: ", ")): no two causes to tell apart; its column fault names one for each faulty frame, such as \(Cause.airBubble.rawValue)"
            )
        }
        report(.note("causes fitted to \(examples.count) faulty frames of the lists"))
        return examples
    }

    private func calibration(
        with calibrator: Calibrator,
        like other: Calibrator.Found?,
        _ suffix: String
    ) throws -> Calibrator.Found {
        var frame = 0
        let found = try calibrator.labelFree(
            frames,
            like: other,
            report: { what, done, all in
                frame = done
                report(.progress("calibrating: \(what) \(done)/\(all)\(suffix)", isLast: done == all))
            },
            passes: { report(.passes($0, of: "normal frame \(frame + 1)")) }
        )
        return try withLists(found, calibrator, suffix)
    }

    /// Takes causes from lists as well, and the greedy search, where they are asked for.
    private func withLists(
        _ found: Calibrator.Found,
        _ calibrator: Calibrator,
        _ suffix: String
    ) throws -> Calibrator.Found {
        guard let faulty else { return found }
        var frame = 0
        let calibration = try calibrator.greedy(
            try FramePaths.labelled(csv: faulty),
            calibration: found.calibration,
            published: searchesScores,
            report: { done, all in
                frame = done
                report(.progress("labelled frame \(done)/\(all)\(suffix)", isLast: done == all))
            },
            passes: { report(.passes($0, of: "labelled frame \(frame + 1)")) }
        )
        var result = found
        result.calibration = calibration
        return result
    }
}
