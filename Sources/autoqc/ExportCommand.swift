import ArgumentParser
import Auditing
import Dashboard
import Exporting
import Files
import Foundation
import Ledger
import Plate
import Reporting
import Rules
import Tables
import Training

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print the ledger as a table, or write results for other tools.",
        discussion: """
            The table is CSV with a header line (RFC 4180), or with --jsonl one JSON object a line. Times \
            are UTC. --usable prints the intervals in which the frames of a well can be used, --wells a row \
            for each well. --labels prints the decisions of reviewers as a list for `train`, `calibrate` and \
            `benchmark`. --record prints the quality of a run as JSON in the form of mzQC. Each option with \
            DIR writes a folder. Frames that cannot be read any more are left out and named; the command \
            then exits with 1. If it was killed, the same command finishes the folder.

            Examples:
              autoqc export /srv/autoqc > frames.csv
              autoqc export /srv/autoqc --usable
              autoqc export /srv/autoqc --run 01 --ome-zarr plate
            """
    )

    enum Content: String, CaseIterable, EnumerableFlag {
        case frames
        case usable
        case wells
        case labels
        case record

        static func help(for value: Content) -> ArgumentHelp? {
            switch value {
            case .frames: "A row for each frame (the default)."
            case .usable: "A row for each interval of usable frames."
            case .wells: "A row for each well: frames, flagged, usable, longest interval, cause."
            case .labels: "Reviewers' decisions as img_path,seg_path,label,..."
            case .record: "A quality record of one run (default: the one recorded last)."
            }
        }
    }

    @OptionGroup var ledger: LedgerOptions
    @Flag var content = Content.frames
    @OptionGroup var output: TableOptions
    @Option(name: .customLong("run"), help: ArgumentHelp("One run only.", valueName: "RUN"))
    var oneRun: String?
    @Option(
        name: .customLong("well"),
        help: ArgumentHelp("One well only, for --frames, --usable, --wells and --stacks.", valueName: "WELL"),
        transform: LedgerOptions.well
    )
    var oneWell: Well?
    @OptionGroup var usableFrames: UsableOptions
    @OptionGroup(title: "Folders for other tools") var folders: ExportFolders

    private static let flushed = 64 << 10

    func validate() throws {
        let takesWell =
            folders.isAsked ? folders.areStacksOnly : [.frames, .usable, .wells].contains(content)
        guard oneWell == nil || takesWell else {
            throw ValidationError(
                "--well is for --frames, --usable, --wells and --stacks; the others have whole runs"
            )
        }
    }

    func run() throws {
        let opened = try ledger.open()
        try LedgerOptions.check(run: oneRun, well: oneWell, in: opened)
        guard !folders.isAsked else {
            return try folders.write(
                opened,
                tree: ledger.tree,
                run: oneRun,
                well: oneWell,
                usable: usableFrames
            )
        }
        switch content {
        case .frames: try printFrames(opened)
        case .usable: try output.say(usable(opened).intervals, UsableTables.ofIntervals)
        case .wells: try output.say(usable(opened).views, UsableTables.ofWells)
        case .labels: try printLabels(opened)
        case .record:
            try printRecord(opened)
        }
    }

    private func printFrames(_ opened: FrameLedger) throws {
        let table = FrameTable.table
        let form = output.form
        var text = table.header(form).map { $0 + "\n" } ?? ""
        try opened.forEach { record in
            guard oneRun == nil || record.frame?.run == oneRun,
                oneWell == nil || record.frame?.well == oneWell
            else { return }
            text += try table.line(FrameTable.Row(record, in: ledger.tree), form) + "\n"
            guard text.utf8.count >= Self.flushed else { return }
            try StandardStreams.write(text)
            text = ""
        }
        try StandardStreams.write(text)
    }

    private func usable(_ opened: FrameLedger) throws -> UsableTables {
        try UsableTables(
            ledger: opened,
            tree: ledger.tree,
            run: oneRun,
            well: oneWell,
            rule: usableFrames.rule()
        )
    }

    private func printLabels(_ opened: FrameLedger) throws {
        let table = try LabelTable(ledger: opened, tree: ledger.tree, run: oneRun)
        try Terminal.say(LabelTable.header)
        for row in table.rows { try Terminal.say(LabelTable.csv(row)) }
        if table.disputed > 0 {
            Terminal.note(
                "\(table.disputed) frames that reviewers disagree on are no label; `autoqc review` lists them"
            )
        }
        if table.pagesLeftOut > 0 {
            Terminal.note(
                "\(table.pagesLeftOut) frames are pages of movies, which a list cannot name; they are left out"
            )
            throw ExitCode.failure
        }
    }

    private func printRecord(_ opened: FrameLedger) throws {
        let run = try LedgerOptions.run(oneRun, in: opened)
        var terminal = Terminal()
        guard
            let record = try QualityRecord(
                run: run,
                ledger: opened,
                tree: ledger.tree,
                version: BuildInfo.version,
                created: Timestamp.now,
                report: { terminal.progress("\($0): files read") }
            )
        else { throw DataError("\(ledger.out): no frame of run \(run) has an outcome") }
        try StandardStreams.write(String(decoding: record.json(), as: UTF8.self))
        guard record.filesGone > 0 else { return }
        Terminal.note("\(record.filesGone) files of frames are gone; the record has no digest of them")
        throw ExitCode.failure
    }
}
