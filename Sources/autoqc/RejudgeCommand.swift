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
        abstract: "Show what another threshold or model would have said of the same frames; changes nothing.",
        discussion: """
            With --threshold the severities in the ledger are compared with another threshold, which takes moments. With --model every frame whose \
            file is still as it was judged is judged again, with that model's thresholds unless --threshold is given as well. \
            Prints the wells whose frames change, with the frame at which each first turns faulty by 2 faulty frames of 3. \
            This is a what-if: ledger, alarm logs and masks keep the verdicts that were given. To judge from now on in the new \
            way, write `threshold` or `model` into the daemon's configuration and reload it. Frames whose file is gone or \
            changed are left out, and the command exits with 1 then.
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @Option(help: "Severity above which a frame is faulty.", transform: NumberOption.within(0...1e9))
    var threshold: Double?
    @Option(help: "A calibrated model.")
    var model: String?
    @Option(name: .customLong("run"), help: "One run only.")
    var oneRun: String?
    @Option(help: "Also write both verdicts on every frame to a file, as CSV.")
    var csv: String?

    private static let header =
        "file,page,run,well,field,channel,plane,frame,severity,threshold,verdict_before,verdict_after"

    func validate() throws {
        guard threshold != nil || model != nil else {
            throw ValidationError("give --threshold, --model, or both")
        }
    }

    func run() throws {
        if let csv { try OutputFile.check(csv, isText: true) }
        let opened = try ledger.open()
        try LedgerOptions.check(run: oneRun, in: opened)
        let detector = try model.map { try Detector(path: $0) }
        var rejudgement = Rejudgement()
        var table = Self.header + "\n"
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
            guard csv != nil else { return }
            table +=
                CSV.row(
                    [
                        record.source.absolutePath, "\(record.source.page)", frame.run,
                        frame.well.description,
                    ] + frame.view.fields + [
                        "\(frame.index)", "\(after.severity)", "\(threshold)", before.verdict.rawValue,
                        verdict.rawValue,
                    ],
                    texts: [2]
                ) + "\n"
        }
        if let csv { try OutputFile.write(text: table, to: csv) }
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
        var lines =
            wells.isEmpty
            ? [] : ["run,well,field,channel,plane,frames,faulty_before,faulty_after,onset_before,onset_after"]
        for well in wells {
            lines.append(
                CSV.row(
                    [
                        well.run, well.well.description,
                    ] + well.view.fields + [
                        "\(well.frames)", "\(well.faulty.before)", "\(well.faulty.after)",
                        well.onset.before.map { "\($0)" } ?? "",
                        well.onset.after.map { "\($0)" } ?? "",
                    ]
                )
            )
        }
        try lines.forEach(Terminal.say)
        let missing = gone > 0 ? "; \(gone) frames are left out, as their files are gone or changed" : ""
        Terminal.note(
            "\(rejudgement.frames) frames: \(rejudgement.turnedFaulty) turn faulty, \(rejudgement.turnedNormal) turn "
                + "normal, in \(wells.count) wells\(missing)"
        )
    }
}
