import ArgumentParser
import Detection
import Diffusion
import Exporting
import Foundation
import Tables
import Tensors
import Training
package import Verdict

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Find a model's thresholds and store them in its file.",
        discussion: """
            Without labels the thresholds are conformal quantiles of normal frames for a rate of false alarms. With \
            --faulty, a CSV list of labelled frames (img_path,seg_path,label), the published greedy search follows. --from \
            takes both from what reviewers decided on the live page: false alarms are normal frames, true faults are labelled.

            For a model of the realtime profile, the tiles of normal frames are fitted as well. --causes takes lists of \
            faulty frames with a column fault: air-bubble, artifact, z-shift, illumination or contamination. Causes are \
            fitted to them. Tiles of faults are fitted, too, where a list has normal frames (label 0) of the same \
            microscope and masks (seg_path), as `simulate set` and `simulate inject` write them. Without --causes the model \
            keeps what it has of both.
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
            "CSV lists of labelled frames with a column fault, to fit causes and tiles of faults to."
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
    @OptionGroup var threads: ThreadOptions

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
    }

    func run() throws {
        threads.apply()
        try OutputPath.check(out ?? model)
        var (loaded, _) = try Model.read(path: model)
        try applyTimestep(to: &loaded)
        if let overlap { try loaded.setOverlap(overlap) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let reviewed = try from.map { try Self.reviewed($0, writingTo: folder) }
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
            causes: causes,
            report: Terminal.reporter()
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

    /// The frames that reviewers decided on in an output folder, with a line on how many there are.
    private static func reviewed(_ out: String, writingTo folder: URL) throws -> ReviewedFrames {
        let ledger = try LedgerOptions.open(out)
        let tree = LedgerOptions.tree(out)
        guard let reviewed = try ReviewedFrames(ledger: ledger, tree: tree, writingTo: folder) else {
            throw DataError(
                "\(out): there is no decision yet; mark frames on the live page or in `autoqc view`"
            )
        }
        Terminal.note(
            "\(out): \(reviewed.trueFaults) true faults, \(reviewed.falseAlarms) false alarms, "
                + "\(reviewed.unflagged) unflagged frames"
        )
        if reviewed.labelled == nil, reviewed.trueFaults > 0 {
            Terminal.note(
                "\(reviewed.trueFaults) true faults are too few to find thresholds by, "
                    + "\(ReviewedFrames.fewestFaults) would do: they come from the normal frames alone"
            )
        }
        return reviewed
    }

    /// The normal frames; throws where they are too few.
    private func normalFrames(besides reviewed: [String]) throws -> FrameSet {
        let frames = try FrameSet(paths: try FramePaths.normal(normal) + reviewed)
        frames.noteUnreadable()
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
        let image = calibration.image
        let scale = image.severity.scale(of: "score")
        let normal = scale.map {
            "\($0.median.digits(4)), +\($0.spreadAbove.digits(4)) -\($0.spreadBelow.digits(4)); "
        }
        Terminal.note(
            "\(precision.rawValue): score \(calibration.scoreKind.rawValue): normal frames \(normal ?? "")"
                + "faulty above severity \(image.threshold.value.digits(2)); "
                + "mask above \(image.mask.value.digits(4))"
        )
        if let tiles = calibration.tiles {
            Terminal.note(
                "\(precision.rawValue): with the normal tiles of \(tiles.normal.frames) frames: faulty above severity "
                    + "\(tiles.limits.threshold.value.digits(2)); mask above \(tiles.limits.mask.value.digits(4))"
            )
        }
        if precision == .float32, case .conformal(let threshold) = calibration.limits.threshold.origin,
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

    /// Lets `auto` take a precision that the model is calibrated for.
    mutating func prefer(_ precision: Precision) throws {
        guard description.calibrations[precision] != nil else {
            throw ValidationError("--prefer \(precision.rawValue): the model cannot run in it here")
        }
        description.preferredPrecision = precision
    }
}

extension ScoreKind: ExpressibleByArgument {}
