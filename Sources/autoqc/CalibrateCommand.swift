import ArgumentParser
import Detection
import Diffusion
import Exporting
import Files
import Foundation
import Frames
import Plate
import Tables
import Tensors
import Training
package import Verdict

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Find the thresholds of a model and store them in its file.",
        discussion: """
            Without labels, a threshold is the conformal quantile of normal frames for a rate of false \
            alarms. With --faulty, a CSV list of labelled frames (img_path,seg_path,label), a search for the \
            best threshold of the severity follows, and with --published the published search over image \
            scores. --from takes the decisions of reviewers: false alarms are normal frames, true faults are \
            labelled frames. Disputed frames are left out. No model is written if it would miss true faults \
            that the old one found.

            The tiles of normal frames are fitted, too. Frames far from all others are left out and named. \
            The classifier of tiles and the causes are adapted to faults on copies of the frames, and the \
            command prints how many of these are found. MODEL.calibration.html shows the farthest frames.

            --causes takes lists of faulty frames with a column `fault`: air-bubble, artifact, z-shift, \
            illumination or contamination. If a list has masks (seg_path) and normal frames (label 0), as \
            those of `simulate set` and `simulate inject` have, a new classifier of tiles is fitted to it \
            first.

            Examples:
              autoqc calibrate complexeye.safetensors --normal frames \\
                  --out mine.safetensors
              autoqc calibrate mine.safetensors --normal frames --false-alarms 0.01
              autoqc calibrate mine.safetensors --from /srv/autoqc --out better.safetensors
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The model file; it gets the new thresholds and with them a new name.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var model: String
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp("Normal frames: files, folders, globs or CSV lists.", valueName: "PATH"),
        completion: .file()
    )
    var normal: [String] = []
    @Option(
        help: ArgumentHelp(
            "Take what reviewers decided from this output folder of `autoqc watch`, and unflagged frames beside it.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var from: String?
    @Option(
        help: ArgumentHelp("Share of normal frames that may be called faulty.", valueName: "SHARE"),
        transform: NumberOption.within(NumberOption.rate)
    )
    var falseAlarms = 0.001
    @Option(
        help: ArgumentHelp("Share of normal frames whose mask may have any pixel.", valueName: "SHARE"),
        transform: NumberOption.within(NumberOption.rate)
    )
    var maskRate = 0.05
    @Option(
        help: ArgumentHelp(
            "CSV list of labelled frames for a greedy search over severity.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var faulty: String?
    @Flag(
        help: "With --faulty: search over the image score, as published. For models of the reference profile."
    )
    var published = false
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "CSV lists of labelled frames with a column fault, to fit causes and tiles of faults to.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var causes: [String] = []
    @Option(help: ArgumentHelp("Image score that decides: max, mean or patch.", valueName: "NAME"))
    var score = ScoreKind.patch
    @Flag(help: "Count frames that are far from all others as normal, too.")
    var keepOutliers = false
    @Option(
        help: ArgumentHelp(
            "Faults put on copies of the frames, to adapt to this microscope; 0 for none.",
            valueName: "N"
        ),
        transform: NumberOption.within(0...10_000)
    )
    var copies = 150
    @Option(
        help: ArgumentHelp("Test timestep, to try another than the model was trained for.", valueName: "N"),
        transform: NumberOption.within(NumberOption.timestep)
    )
    var timestep: Int?
    @Option(
        help: ArgumentHelp(
            "Overlap of a reference model's windows, from 0 to below 1; the model keeps it.",
            valueName: "SHARE"
        ),
        transform: NumberOption.within(NumberOption.overlap)
    )
    var overlap: Double?
    @Option(
        help: ArgumentHelp(
            """
            Precision that --precision auto takes from now on; check first with `autoqc benchmark` that it loses nothing.
            """,
            valueName: "NAME"
        )
    )
    var prefer: Precision?
    @Option(
        help: ArgumentHelp("Write the calibrated model here instead.", valueName: "FILE"),
        completion: .file()
    )
    var out: String?
    @OptionGroup var planes: PlaneOptions
    @OptionGroup var threads: ThreadOptions

    /// Below this there is no spread to measure severities by.
    private static let fewestFrames = 3

    func validate() throws {
        guard !normal.isEmpty || from != nil else {
            throw ValidationError("give --normal FRAMES, --from OUT, or both")
        }
        guard !published || faulty != nil else {
            throw ValidationError("--published searches over labelled frames; give them with --faulty")
        }
    }

    func run() throws {
        threads.apply()
        try OutputFile.check(out ?? model)
        var (loaded, _) = try Model.read(path: model)
        guard !published || loaded.description.reference != nil else {
            throw ValidationError(
                "--published is for models of the reference profile; one of the realtime profile judges by tiles, not by the published score"
            )
        }
        try applyTimestep(to: &loaded)
        if let overlap { try loaded.setOverlap(overlap) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)")
        try OutputFolderPath.make(folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        let reviewed = try from.map { try Self.reviewed($0, writingTo: folder) }
        let frames = try normalFrames(besides: reviewed?.normal ?? [])
        var options = Calibrator.Options()
        (options.scoreKind, options.falseAlarmRate, options.maskRate) = (score, falseAlarms, maskRate)
        (options.keepsOutliers, options.copies) = (keepOutliers, copies)
        // Published masks are of the map itself.
        if loaded.description.reference != nil { options.maskWindow = 1 }
        let calibration = ModelCalibration(
            path: model,
            frames: frames,
            options: options,
            faulty: faulty ?? reviewed?.labelled,
            searchesScores: published,
            causes: causes,
            report: Terminal.reporter()
        )
        loaded.description.preferredPrecision = prefer ?? loaded.description.preferredPrecision
        let rests = try calibration.store(in: &loaded)
        if let prefer, loaded.description.calibrations[prefer] == nil {
            throw ValidationError("--prefer \(prefer.rawValue): the model cannot run in it here")
        }
        loaded.description.coverage = ModelDescription.Coverage(of: frames)
        let kept = try reviewed.map { try checked(loaded, on: $0) }
        try loaded.write(path: out ?? model)
        let lines = Self.lines(loaded, rests, of: frames) + (kept.map { [$0] } ?? [])
        for line in lines { Terminal.note(line) }
        if OutputFile.isPlain(out ?? model) { try writeSheet(loaded, rests, of: frames, lines: lines) }
    }

    /// Of the true faults that were flagged, this share has to stay found; the others lie near the threshold.
    private static let mustStayFound = 0.9

    /// What the model says of the frames that reviewers decided on; throws where it misses what was found before.
    private func checked(_ model: Model, on reviewed: ReviewedFrames) throws -> String {
        let detector = try Detector(model: model, name: "", path: out ?? self.model)
        func flagged(_ paths: [String]) -> [Bool] {
            paths.compactMap { path in
                guard let reader = try? TIFFReader(path: path, choice: planes.choice),
                    let page = reader.frames.first?.page, let frame = try? reader.frame(page: page)
                else { return nil }
                return detector.judge(frame).verdict == .faulty
            }
        }
        let (faults, alarms) = (flagged(reviewed.found), flagged(reviewed.falseAlarms))
        let (found, pass) = (faults.count { $0 }, alarms.count { !$0 })
        guard Double(found) >= (Self.mustStayFound * Double(faults.count)).rounded(.up) else {
            throw DataError(
                "calibrated like this, the model would find \(found) of \(faults.count) true faults that were flagged; nothing is "
                    + "written. Look again at the \(alarms.count) false alarms: one that is a fault makes such faults normal"
            )
        }
        return
            "of \(faults.count) true faults that were flagged, \(found) are found; of \(alarms.count) false alarms, \(pass) pass now"
    }

    /// What a user should know before trusting the calibration, one sentence each.
    private static func lines(_ model: Model, _ rests: Calibrator.Report, of frames: FrameSet) -> [String] {
        guard let calibration = model.description.calibrations[model.description.automaticPrecision] else {
            return []
        }
        let limits = calibration.limits
        let covered = model.description.coverage.map { " (\($0.words))" } ?? ""
        var lines = [
            "calibrated on \(frames.count - rests.leftOut.count) of \(frames.count) frames\(covered): faulty above severity "
                + "\(limits.threshold.value.digits(2)); mask above \(limits.mask.value.digits(4))"
        ]
        if case .conformal(let threshold) = limits.threshold.origin { lines.append(words(threshold)) }
        lines += rests.leftOut.map {
            "left out: \(line($0, frames)). Is it normal? Then calibrate again with --keep-outliers"
        }
        if rests.tooMany > 0 {
            lines.append(
                "\(rests.tooMany) frames are far from the others, which is too many to leave out: the frames differ much, and weak "
                    + "faults will be missed; calibrate on one kind of well at a time"
            )
        }
        lines += rests.kept.prefix(worst).map { "farthest of those kept: \(line($0, frames))" }
        lines += rests.recall.map { recall in
            "of \(recall.copies) copies with a fault of the class \(recall.cause.rawValue), \(recall.found) are found, "
                + "\(recall.named) of them under this name"
        }
        return lines
    }

    private static let worst = 3
    /// Frames of a plate in an hour: 64 wells, a frame each per 8 s.
    private static let framesPerHour = 28_800.0

    private static func words(_ threshold: ConformalThreshold) -> String {
        let rate = threshold.falseAlarmRate
        let expected =
            "of 1000 normal frames, \((1000 * rate).digits(1)) may be flagged: some \(Int(saturating: rate * framesPerHour)) of a "
            + "64-well plate's frames in an hour"
        guard threshold.isExtrapolated else { return expected }
        return expected
            + ". \(threshold.frameCount) frames cannot vouch for this rate, the threshold follows their tail; "
            + "\(ConformalThreshold.framesNeeded(falseAlarmRate: rate)) would do"
    }

    private static func line(_ frame: CalibrationFit.Distance, _ frames: FrameSet) -> String {
        let term = frame.term.map { ", mostly \($0.words)" } ?? ""
        return "\(frames.name(frame.index)), severity \(frame.severity.digits(1))\(term)"
    }

    /// Writes pictures of the frames that are farthest from all others beside the model.
    private func writeSheet(
        _ model: Model,
        _ rests: Calibrator.Report,
        of frames: FrameSet,
        lines: [String]
    ) throws {
        let precision = model.description.automaticPrecision
        let shown = rests.leftOut.prefix(12) + rests.kept.prefix(Self.worst)
        guard !shown.isEmpty, let calibration = model.description.calibrations[precision] else { return }
        let path = (out ?? self.model) + ".calibration.html"
        let scorer = try FrameScorer(model: model, path: self.model, precision: precision)
        var sheet = CalibrationSheet(title: "Calibration of \(out ?? self.model)", lines: lines)
        for distance in shown {
            let frame = try frames.frame(distance.index)
            let map = calibration.maskMap(of: frame, map: scorer.map(of: frame))
            sheet.add(Self.line(distance, frames), frame, map: map, limit: calibration.limits.mask.value)
        }
        try sheet.write(to: path)
        Terminal.note("pictures of the farthest frames: \(path)")
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
            "\(out): \(reviewed.trueFaults.count) true faults, \(reviewed.falseAlarms.count) false alarms, "
                + "\(reviewed.unflagged) unflagged frames"
                + (reviewed.disputed > 0
                    ? "; \(reviewed.disputed) that reviewers disagree on are left out" : "")
        )
        if reviewed.labelled == nil, !reviewed.trueFaults.isEmpty {
            Terminal.note(
                "\(reviewed.trueFaults.count) true faults are too few to find thresholds by, "
                    + "\(ReviewedFrames.fewestFaults) would do: they come from the normal frames alone"
            )
        }
        return reviewed
    }

    /// The normal frames; throws where they are too few.
    private func normalFrames(besides reviewed: [String]) throws -> FrameSet {
        let frames = try FrameSet(
            paths: try FramePaths.normal(normal, note: Terminal.note) + reviewed,
            choice: planes.choice
        )
        frames.noteUnreadable()
        let count = frames.count
        guard count >= Self.fewestFrames else {
            throw DataError(
                "\(count) normal frame\(count == 1 ? "" : "s") cannot tell how much normal frames differ; give at least "
                    + "\(Self.fewestFrames), better \(ConformalThreshold.framesNeeded(falseAlarmRate: falseAlarms))"
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

extension ScoreKind: ExpressibleByArgument {}
