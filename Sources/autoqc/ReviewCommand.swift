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
        abstract: "Write a run as one HTML or PDF file to keep or mail.",
        discussion: """
            It shows which frames of each well can be used over time, and why others cannot: plate map, \
            wells, events, flagged frames with the outlines of their masks, decisions of reviewers and their \
            agreement, and each lens beside its earlier runs. Times have the zone of this machine. The page \
            has no script and loads nothing, so it opens from a file share and on a phone.

            Examples:
              autoqc review /srv/autoqc --html review.html
              autoqc review /srv/autoqc --run 01 --html 01.html
            """
    )

    @OptionGroup var output: LedgerOptions
    @OptionGroup var usableFrames: UsableOptions
    @OptionGroup var watched: WatchedOptions
    @OptionGroup var lenses: LensOptions
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("The run (default: the one recorded last).", valueName: "RUN")
    )
    var oneRun: String?
    @Option(help: ArgumentHelp("Write the page to this file.", valueName: "FILE"), completion: .file())
    var html: String?
    @Option(
        help: ArgumentHelp(
            "Write the page as a PDF to this file; needs Chromium or Chrome.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var pdf: String?
    @Option(
        help: ArgumentHelp(
            "Largest page in MB; pictures that do not fit are left out, and it says so.",
            valueName: "MB"
        ),
        transform: NumberOption.within(1...2000)
    )
    var megabytes = 5
    @Flag(help: "Say nothing of whether every frame has its outcome: finding that out lists all folders.")
    var noAudit = false

    func validate() throws {
        guard html != nil || pdf != nil else {
            throw ValidationError("give --html FILE, --pdf FILE, or both")
        }
    }

    func run() throws {
        if let html { try OutputFile.check(html, isText: true) }
        if let pdf { try OutputFile.check(pdf) }
        let printer = try pdf.map { _ in try PDFPrinter() }
        let ledger = try output.open()
        try LedgerOptions.check(run: oneRun, in: ledger)
        let run = try LedgerOptions.run(oneRun, in: ledger)
        var options = ReviewPage.Options()
        options.largestSize = megabytes * 1_000_000
        options.rule = usableFrames.rule()
        options.lenses = try lenses.trend(of: ledger).charts(of: run)
        options.audit = noAudit ? [] : audit(ledger, run: run)
        guard let page = try ReviewPage(run: run, ledger: ledger, tree: output.tree, options: options) else {
            throw DataError("\(output.out): no frame of run \(run) has an outcome")
        }
        let (text, outcome) = try page.html()
        if let html { try OutputFile.write(text: text, to: html) }
        if let pdf { try printer?.write(text, to: pdf) }
        let left = outcome.leftOut > 0 ? ", \(outcome.leftOut) more without one" : ""
        Terminal.note(
            "\([html, pdf].compactMap(\.self).joined(separator: ", ")): \((Double(outcome.size) / 1e6).digits(1)) MB, "
                + "\(outcome.pictures) pictures\(left)"
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
            A CSV table: run, lens, frames, faulty frames, median severity, and from the sixth run on the \
            z-score of this median against the earlier runs of the lens. Lenses with a z-score of 3 or more \
            are named at the end. Check them before their frames turn faulty.

            Examples:
              autoqc lenses /srv/autoqc
              autoqc lenses /srv/autoqc --jsonl
            """
    )

    @OptionGroup var ledger: LedgerOptions
    @OptionGroup var lenses: LensOptions
    @OptionGroup var output: TableOptions

    private static let table = Table<LensTrend.Row>([
        ("run", { .text($0.run) }),
        ("lens", { .integer($0.lens) }),
        ("frames", { .integer($0.frames) }),
        ("faulty", { .integer($0.faulty) }),
        ("severity_median", { .number($0.median) }),
        ("deviation", { $0.deviation.map { .number($0) } }),
    ])

    func run() throws {
        let rows = try lenses.trend(of: ledger.open()).rows
        guard !rows.isEmpty else { throw DataError("\(ledger.out): no frame of it is judged yet") }
        try output.say(rows, Self.table)
        for row in rows where row.isOut {
            Terminal.note(
                "run \(row.run): \(PlatePattern.lens(row.lens).advice), its frames are less normal than in earlier runs"
            )
        }
    }
}
