import ArgumentParser
import Auditing
import Dashboard
import Files
import Foundation
import Ledger
import Reporting
import Rules
import Tables
import Training

struct ReviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "Write a run as one HTML file to keep or mail.",
        discussion: """
            Plate map, usable range and severity over time of each well, each lens beside its own past runs, the most and \
            least confident frames, a gallery of flagged frames with the outlines of their masks, decisions. No script, \
            nothing from outside: it opens from a file share.
            """
    )

    @OptionGroup var output: LedgerOptions
    @OptionGroup var watched: WatchedOptions
    @OptionGroup var lenses: LensOptions
    @Option(name: .customLong("run"), help: "The run (default: the one recorded last).")
    var oneRun: String?
    @Option(help: "Where the file goes.")
    var html: String
    @Option(
        help: "Largest file in MB; pictures that do not fit are left out, and it says so.",
        transform: NumberOption.within(1...2000)
    )
    var megabytes = 20
    @Flag(help: "Say nothing of whether every frame has its outcome: finding that out lists all folders.")
    var noAudit = false

    func run() throws {
        try OutputFile.check(html, isText: true)
        let ledger = try output.open()
        try LedgerOptions.check(run: oneRun, in: ledger)
        let run = try LedgerOptions.run(oneRun, in: ledger)
        var options = ReviewPage.Options()
        options.largestSize = megabytes * 1_000_000
        options.lenses = try lenses.trend(of: ledger).charts(of: run)
        options.audit = noAudit ? [] : audit(ledger, run: run)
        guard let page = try ReviewPage(run: run, ledger: ledger, tree: output.tree, options: options) else {
            throw DataError("\(output.out): no frame of run \(run) has an outcome")
        }
        let outcome = try page.write(to: html)
        let left = outcome.leftOut > 0 ? ", \(outcome.leftOut) flagged frames not shown" : ""
        Terminal.note(
            "\(html): \((Double(outcome.size) / 1e6).digits(1)) MB, \(outcome.pictures) pictures\(left)"
        )
    }

    /// The result of an audit of the run, or the reason why there is none.
    private func audit(_ ledger: FrameLedger, run: String) -> [String] {
        do {
            let (folders, pattern) = try watched.resolve(ledger)
            let scope = Audit.Scope(folders: folders, pattern: pattern, run: run)
            let report = try Audit.report(of: ledger, in: output.tree, scope: scope)
            let counts = AuditReport.Kind.allCases.filter { report.count(of: $0) > 0 }
                .map { "\($0.rawValue): \(report.count(of: $0))" }
            let files = "\(report.accounted) of \(report.files) files have an outcome"
            return report.isComplete
                ? ["audit: \(files); all is accounted for"]
                : ["audit: \(files); \(counts.joined(separator: ", "))"]
        } catch {
            return ["not audited: \(error)"]
        }
    }
}

struct LensesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lenses",
        abstract: "Compare each lens in each run with its earlier runs.",
        discussion: """
            A table as CSV: run, lens, frames, faulty frames, median severity, and the z-score of this median against the lens's \
            earlier runs (from the sixth run on). Lenses with a z-score of 3 or more are named at the end: look at them \
            before their frames are faulty.
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var lenses: LensOptions

    func run() throws {
        let table = try lenses.trend(of: ledger.open()).rows
        guard !table.isEmpty else { throw DataError("\(ledger.out): no frame of it is judged yet") }
        try Terminal.say("run,lens,frames,faulty,severity_median,deviation")
        for row in table {
            try Terminal.say(
                CSV.row([
                    row.run, "\(row.lens)", "\(row.frames)", "\(row.faulty)", row.median.digits(3),
                    row.deviation?.digits(2) ?? "",
                ])
            )
        }
        for row in table where row.isOut {
            Terminal.note(
                "run \(row.run): \(PlatePattern.lens(row.lens).advice), its frames are less normal than in earlier runs"
            )
        }
    }
}
