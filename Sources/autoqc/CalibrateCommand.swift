package import ArgumentParser
package import Detection
import Foundation
import Tables
import Tensors
import Training

/// `autoqc calibrate`.
struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Find a model's thresholds and store them in its file.",
        discussion: """
            Without labels the thresholds are conformal quantiles of normal frames for a rate of false alarms. With \
            --faulty, a CSV list of labelled frames (img_path,seg_path,label), the published greedy search follows. --from \
            takes both from what reviewers decided on the live page: false alarms are normal frames, true faults are labelled.

            A model of the realtime profile learns from the normal frames what their tiles look like, too. With --causes, \
            lists of faulty frames whose column fault says air-bubble, artifact, z-shift, illumination or contamination, \
            it learns to name causes; from lists with normal frames (label 0) of the same microscope and masks (seg_path), \
            which `simulate set` and `simulate inject` write, what tiles of faults look like, too. Without, it keeps what it \
            knows of both.
            """
    )

    @Argument(help: "The model file; it gets the new thresholds and with them a new name.")
    var model: String
    @Option(name: .long, parsing: .upToNextOption, help: "Normal frames: files, folders, globs or CSV lists.")
    var normal: [String] = []
    @Option(
        help:
            "Take what reviewers decided from this output folder of `autoqc watch`, and unflagged frames beside it."
    )
    var from: String?
    @Option(help: "Share of normal frames that may be called faulty.")
    var falseAlarms = 0.001
    @Option(help: "Share of normal frames whose mask may have any pixel.")
    var maskRate = 0.05
    @Option(help: "CSV list of labelled frames for the published greedy search.")
    var faulty: String?
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help:
            "CSV lists of labelled frames with a column fault, from which causes and tiles of faults are learnt."
    )
    var causes: [String] = []
    @Option(help: "Image score that decides: max, mean or patch.")
    var score = ScoreKind.patch
    @Option(help: "Changed copies of each frame (lamp, density, focus ...) judged as well.")
    var variations = 0
    @Option(help: "Test timestep, to try another than the model was trained for.")
    var timestep: Int?
    @Option(help: "Overlap of a reference model's windows, from 0 to below 1; the model keeps it.")
    var overlap: Double?
    @Option(
        help: """
            Precision that --precision auto takes from now on; check first with `autoqc benchmark` that it loses nothing.
            """
    )
    var prefer: Precision?
    @Option(help: "Write the calibrated model here instead.")
    var out: String?
    @Option(help: "Threads (default: all cores).")
    var threads: Int?

    /// Below this there is no spread to measure severities by.
    private static let fewestFrames = 3

    func validate() throws {
        guard !normal.isEmpty || from != nil else {
            throw ValidationError("give --normal FRAMES, --from OUT, or both")
        }
        guard falseAlarms > 0, falseAlarms < 1, maskRate > 0, maskRate < 1 else {
            throw ValidationError("--false-alarms and --mask-rate lie between 0 and 1")
        }
        guard (0...1000).contains(variations) else { throw ValidationError("--variations is 0 to 1000") }
        guard threads.map({ $0 > 0 }) ?? true else { throw ValidationError("--threads must be above 0") }
    }

    func run() throws {
        if let threads { Compute.setThreads(threads) }
        try OutputPath.check(out ?? model)
        var (loaded, _) = try Model.read(path: model)
        try applyTimestep(to: &loaded)
        if let overlap { try loaded.setOverlap(overlap) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let reviewed = try from.map { try ReviewedFrames($0, writingTo: folder) }
        let frames = try normalFrames(besides: reviewed?.normal ?? [])
        var options = Calibrator.Options()
        (options.scoreKind, options.falseAlarmRate, options.maskRate) = (score, falseAlarms, maskRate)
        options.variations = variations
        // Published masks are of the map itself.
        if loaded.description.reference != nil { options.maskWindow = 1 }
        let calibration = ModelCalibration(
            path: model,
            frames: frames,
            options: options,
            faulty: faulty ?? reviewed?.labelled,
            causes: causes
        )
        try calibration.store(in: &loaded)
        if let prefer { try loaded.prefer(prefer) }
        try calibration.storeCauses(in: &loaded)
        try loaded.write(path: out ?? model)
        for (precision, calibration) in loaded.description.calibrations.sorted(by: {
            $0.key.rawValue < $1.key.rawValue
        }) {
            report(calibration, at: precision)
        }
    }

    /// The frames that say what is normal; throws where they are too few to tell.
    private func normalFrames(besides reviewed: [String]) throws -> FrameSet {
        let frames = try FrameSet(paths: try FramePaths.normal(normal) + reviewed)
        for reason in frames.unreadable.prefix(5) { Terminal.note("skipped: \(reason)") }
        if !frames.unreadable.isEmpty { Terminal.note("\(frames.unreadable.count) unreadable files skipped") }
        let judged = frames.count * (1 + variations)
        guard judged >= Self.fewestFrames else {
            throw DataError(
                "\(judged) normal frame\(judged == 1 ? "" : "s") cannot tell how much normal frames differ; give at least "
                    + "\(Self.fewestFrames), better \(ConformalThreshold.framesNeeded(falseAlarmRate: falseAlarms)), or "
                    + "--variations for changed copies"
            )
        }
        return frames
    }

    private func applyTimestep(to model: inout Model) throws {
        guard let timestep else { return }
        switch model.description.profile {
        case .realtime(var settings):
            guard let changed = settings.diffusion.changed(timestep: timestep) else {
                throw ValidationError("--timestep lies between 0 and \(settings.diffusion.steps - 1)")
            }
            settings.diffusion = changed
            model.description.profile = .realtime(settings)
        case .reference(var settings):
            guard (0..<settings.steps).contains(timestep) else {
                throw ValidationError("--timestep lies between 0 and \(settings.steps - 1)")
            }
            settings.timestep = timestep
            model.description.profile = .reference(settings)
        }
    }

    private func report(_ calibration: Calibration, at precision: Precision) {
        let scale = calibration.scale
        Terminal.note(
            "\(precision.rawValue): score \(calibration.scoreKind.rawValue): normal frames \(scale.median.digits(4)), "
                + "+\(scale.spreadAbove.digits(4)) -\(scale.spreadBelow.digits(4)); "
                + "faulty above severity \(calibration.threshold.digits(2)); "
                + "mask above \(calibration.maskThreshold.digits(4))"
        )
        if let normal = calibration.normal {
            Terminal.note(
                "\(precision.rawValue): with the normal tiles of \(normal.frames) frames: faulty above severity "
                    + "\(normal.threshold.digits(2)); mask above \(normal.maskThreshold.digits(4))"
            )
        }
        if precision == .float32, case .conformal(let threshold) = calibration.thresholdOrigin,
            threshold.isExtrapolated
        {
            Terminal.note(
                "\(threshold.frameCount) judged frames cannot vouch for a rate of \(threshold.falseAlarmRate); the "
                    + "threshold follows their tail. \(ConformalThreshold.framesNeeded(falseAlarmRate: threshold.falseAlarmRate))"
                    + " would do."
            )
        }
    }
}

extension Model {
    /// Lets the windows of a `reference` model overlap by another share.
    mutating func setOverlap(_ overlap: Double) throws {
        guard case .reference(var settings) = description.profile else {
            throw ValidationError(
                "--overlap is for models of the reference profile; this one takes whole frames"
            )
        }
        guard overlap >= 0, overlap < 1 else { throw ValidationError("--overlap lies between 0 and 1") }
        settings.overlap = overlap
        description.profile = .reference(settings)
    }
}

extension Model {
    /// Lets `auto` take a precision that the model is calibrated for.
    mutating func prefer(_ precision: Precision) throws {
        guard description.calibrations[precision] != nil else {
            throw ValidationError("--prefer \(precision.rawValue): the model cannot run in it here")
        }
        description.preferredPrecision = precision
    }
}

extension ScoreKind: ExpressibleByArgument {}
