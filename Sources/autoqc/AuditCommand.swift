import Acquisition
import ArgumentParser
import Auditing
import Files
import Foundation
import Ledger
import Plate
import Reporting
import Training

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check that every frame was judged, and that its records agree.",
        discussion: """
            Every file in the watched folders needs an outcome for its present content. Every outcome needs \
            its file. Every faulty frame needs its mask, and one line in the alarm log of its well. The \
            command changes no file. It exits with 0 only if nothing is missing. While a daemon runs, call \
            `autoqc sync` first.

            Examples:
              autoqc audit /srv/autoqc
              autoqc audit /srv/autoqc --run 01 --json
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var watched: WatchedOptions
    @Option(name: .customLong("run"), help: ArgumentHelp("One run only.", valueName: "RUN"))
    var oneRun: String?
    @Option(
        help: ArgumentHelp(
            "Compare with this folder: a part of a watched one, or a copy of what it held.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var against: String?
    @OptionGroup var output: JSONOptions

    func run() throws {
        try output.check()
        let opened = try ledger.open()
        let (folders, pattern) = try watched.resolve(opened)
        let report = try Audit.report(
            of: opened,
            in: ledger.tree,
            scope: Audit.Scope(
                folders: folders,
                pattern: pattern,
                run: oneRun,
                against: against.map { URL(filePath: $0).standardizedFileURL.path }
            )
        )
        if report.files == 0 { try LedgerOptions.check(run: oneRun, in: opened) }
        try output.say(Self.lines(report))
        try output.write(report)
        if !report.isComplete { throw ExitCode.failure }
    }

    private static func lines(_ report: AuditReport) -> [String] {
        let rows = { (state: String) in report.rows[state, default: 0] }
        var lines = [
            "files        \(report.files), of them \(report.accounted) with an outcome; \(report.notFrames) other files",
            "outcomes     \(rows("scored")) scored, \(rows("quarantined")) quarantined, \(rows("skipped")) skipped",
            "faulty       \(report.faulty) frames, \(report.masks) masks",
        ]
        if report.misfits > 0 {
            lines.append(
                "not taken    \(report.misfits) other files may be frames; `autoqc doctor` shows which pattern fits their names"
            )
        }
        for kind in AuditReport.Kind.allCases where report.count(of: kind) > 0 {
            lines.append("\(kind.rawValue): \(report.count(of: kind)); \(kind.remedy)")
            for problem in report.problems where problem.kind == kind {
                let detail = problem.detail.isEmpty ? [] : [(key: "detail", value: problem.detail)]
                lines.append("  " + Logfmt.line([(key: "path", value: problem.subject)] + detail))
            }
            let untold = report.count(of: kind) - AuditReport.mostExamples
            if untold > 0 { lines.append("  and \(untold) more") }
        }
        lines.append(report.isComplete ? "All is accounted for." : "Not all is accounted for.")
        return lines
    }
}

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Wait until every frame that is in the watched folders now is judged.",
        discussion: """
            For scripts. It exits with 0 when every frame that existed at the start of the command has its \
            outcome. An unfinished file has its outcome a minute after the last write to it. It exits with 1 \
            if no daemon runs on the output folder, or after --timeout.

            Examples:
              autoqc sync /srv/autoqc
              autoqc sync /srv/autoqc --timeout 600
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var watched: WatchedOptions
    @Option(
        help: ArgumentHelp("Seconds to wait, at most (default: as long as it takes).", valueName: "SECONDS"),
        transform: NumberOption.within(NumberOption.seconds)
    )
    var timeout: Double?

    private static let interval = Duration.milliseconds(200)
    /// Waiting must not cost the daemon its cores: of the time, looking takes no larger share.
    private static let share = 50

    func run() async throws {
        let opened = try ledger.open()
        let (folders, pattern) = try watched.resolve(opened)
        var barrier = Barrier(
            FrameListing(roots: folders, pattern: pattern, excluded: [ledger.tree.root])
        )
        let all = barrier.waiting.count
        let deadline = timeout.map { ContinuousClock.now + .seconds($0) }
        var terminal = Terminal()
        while true {
            let cost = try ContinuousClock().measure { try barrier.look(into: opened) }
            let left = barrier.waiting.count
            terminal.progress("\(all - left) of \(all) files have their outcome", isLast: left == 0)
            guard left > 0 else { return }
            guard OutputLock.isHeld(ledger.tree) else {
                throw DataError(
                    "\(left) of \(all) files wait, and no daemon runs on \(ledger.out): start `autoqc watch`"
                )
            }
            if let deadline, ContinuousClock.now >= deadline {
                throw DataError(
                    "\(left) of \(all) files still wait; the first is \(barrier.waiting[0].source.path)"
                )
            }
            try await Task.sleep(for: max(Self.interval, cost * Self.share))
        }
    }
}
