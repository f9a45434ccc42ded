import Acquisition
import ArgumentParser
import Auditing
import Detection
import Files
import Foundation
import Frames
import Ledger
import Plate
import Reporting
import Tables
import Verdict

struct RejudgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejudge",
        abstract: "Show which verdicts another threshold or model would give. Changes nothing.",
        discussion: """
            --threshold compares the severities of the ledger with another threshold, which takes moments. \
            --model judges every frame again whose file is unchanged. The command prints the wells whose \
            verdicts differ, with the first frame at which 2 of 3 frames are faulty. It does not change \
            ledger, alarm logs or masks. To change the daemon, set `threshold` or `model` in its \
            configuration and reload it. The command exits with 1 if files are missing or changed.

            Examples:
              autoqc rejudge /srv/autoqc --threshold 9
              autoqc rejudge /srv/autoqc --model mine.safetensors --frames changed.csv
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @Option(
        help: ArgumentHelp("Severity above which a frame is faulty.", valueName: "SEVERITY"),
        transform: NumberOption.within(0...1e9)
    )
    var threshold: Double?
    @Option(help: ArgumentHelp("A calibrated model.", valueName: "FILE"), completion: .file())
    var model: String?
    @Option(name: .customLong("run"), help: ArgumentHelp("One run only.", valueName: "RUN"))
    var oneRun: String?
    @Option(
        help: ArgumentHelp("Also write both verdicts on every frame to FILE.", valueName: "FILE"),
        completion: .file()
    )
    var frames: String?
    @OptionGroup var output: TableOptions

    /// A frame with both verdicts.
    private struct Row: Sendable {
        let source: FrameSource
        let frame: FrameID
        let severity: Double
        let threshold: Double
        let before: Verdict
        let after: Verdict
    }

    private static let frames = Table<Row>([
        ("file", { .text($0.source.absolutePath) }),
        ("page", { .integer($0.source.page) }),
        ("run", { .text($0.frame.run) }),
        ("well", { .text($0.frame.well.description) }),
        ("field", { $0.frame.view.field.map { .integer($0) } }),
        ("channel", { $0.frame.view.channel.map { .text($0) } }),
        ("plane", { $0.frame.view.plane.map { .integer($0) } }),
        ("frame", { .integer($0.frame.index) }),
        ("severity", { .number($0.severity) }),
        ("threshold", { .number($0.threshold) }),
        ("verdict_before", { .text($0.before.rawValue) }),
        ("verdict_after", { .text($0.after.rawValue) }),
    ])

    private static let wells = Table<Rejudgement.ChangedWell>([
        ("run", { .text($0.run) }),
        ("well", { .text($0.well.description) }),
        ("field", { $0.view.field.map { .integer($0) } }),
        ("channel", { $0.view.channel.map { .text($0) } }),
        ("plane", { $0.view.plane.map { .integer($0) } }),
        ("frames", { .integer($0.frames) }),
        ("faulty_before", { .integer($0.faulty.before) }),
        ("faulty_after", { .integer($0.faulty.after) }),
        ("onset_before", { $0.onset.before.map { .integer($0) } }),
        ("onset_after", { $0.onset.after.map { .integer($0) } }),
    ])

    func validate() throws {
        guard threshold != nil || model != nil else {
            throw ValidationError("give --threshold, --model, or both")
        }
    }

    func run() throws {
        if let frames { try OutputFile.check(frames, isText: true) }
        let opened = try ledger.open()
        try LedgerOptions.check(run: oneRun, in: opened)
        let detector = try model.map { try Detector(path: $0) }
        var rejudgement = Rejudgement()
        var table = Self.frames.header(output.form).map { $0 + "\n" } ?? ""
        var gone = 0
        var terminal = Terminal()
        try opened.forEach { record in
            guard let frame = record.frame, oneRun.map({ $0 == frame.run }) ?? true,
                let before = record.judgement
            else { return }
            guard let after = try Self.judged(record, before, with: detector) else {
                gone += 1
                return
            }
            let threshold = threshold ?? after.threshold
            // A camera that is stuck is so for any model.
            let isFrozen = before.cause.cause == .frozen
            let verdict = isFrozen ? .faulty : Verdict(severity: after.severity, threshold: threshold)
            rejudgement.add(frame, before: before.verdict, after: verdict)
            if detector != nil { terminal.progress("\(rejudgement.frames) frames judged again") }
            guard frames != nil else { return }
            let row = Row(
                source: record.source,
                frame: frame,
                severity: after.severity,
                threshold: threshold,
                before: before.verdict,
                after: verdict
            )
            table += try Self.frames.line(row, output.form) + "\n"
        }
        if let frames { try OutputFile.write(text: table, to: frames) }
        try report(rejudgement, gone)
        if gone > 0 { throw ExitCode.failure }
    }

    private static func judged(
        _ record: FrameRecord,
        _ judgement: Judgement,
        with detector: Detector?
    ) throws -> (severity: Double, threshold: Double)? {
        guard let detector else { return (judgement.severity, judgement.threshold) }
        let path = record.source.absolutePath
        guard let identity = record.source.identity, FrameListing.identity(of: path) == identity,
            let frame = try? TIFFReader(path: path).frame(page: record.source.page)
        else { return nil }
        let judgement = detector.judge(frame)
        return (judgement.severity, judgement.threshold)
    }

    private func report(_ rejudgement: Rejudgement, _ gone: Int) throws {
        let wells = rejudgement.changedWells
        if !wells.isEmpty { try output.say(wells, Self.wells) }
        let missing = gone > 0 ? "; \(gone) frames are left out, as their files are gone or changed" : ""
        Terminal.note(
            "\(rejudgement.frames) frames: \(rejudgement.turnedFaulty) turn faulty, \(rejudgement.turnedNormal) turn "
                + "normal, in \(wells.count) wells\(missing)"
        )
    }
}
