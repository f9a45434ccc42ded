import ArgumentParser
import Auditing
import Dashboard
import Exporting
import Files
import Foundation
import Ledger
import Plate
import Rules
import Tables
import Training

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print every row of the ledger, or give results the form that other tools read.",
        discussion: """
            CSV with a header line (RFC 4180), or with --jsonl one JSON object a line; times are UTC; scores, severity and area \
            have all their digits. --usable prints which frames of which wells can be used, an interval a row; --wells \
            prints a row for each well. --labels prints what reviewers decided as a list of labelled frames, which `train`, `calibrate` and \
            `benchmark` take. --record prints what a run came to, as JSON. --ome-zarr, --label-images and --stacks write folders. \
            These and --labels leave out what cannot be read any more or cannot be named (pages of movies, in a list), say so, and exit with \
            1 then.
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
    @Flag(help: "JSON lines instead of CSV, for frames, intervals and wells.")
    var jsonl = false
    @Option(name: .customLong("run"), help: "One run only.")
    var oneRun: String?
    @Option(
        name: .customLong("well"),
        help: "One well only, for frames, intervals and wells.",
        transform: LedgerOptions.well
    )
    var oneWell: Well?
    @OptionGroup var usableFrames: UsableOptions
    @Option(help: "Write a run as an OME-Zarr 0.5 plate with masks as labels into this folder.")
    var omeZarr: String?
    @Option(help: "Write the masks as label images (16-bit TIFF) into this folder.")
    var labelImages: String?
    @Option(
        help:
            "Write the files of each interval of usable frames as a list that ImageJ and Fiji open as a stack into this folder."
    )
    var stacks: String?
    @Flag(help: "With --ome-zarr: flagged frames only.")
    var flaggedOnly = false

    private static let flushed = 64 << 10

    func run() throws {
        let opened = try ledger.open()
        try LedgerOptions.check(run: oneRun, well: oneWell, in: opened)
        if let omeZarr { return try writePlate(opened, to: omeZarr) }
        if let labelImages { return try writeLabelImages(opened, to: labelImages) }
        if let stacks { return try writeStackLists(opened, to: stacks) }
        switch content {
        case .frames: try printFrames(opened)
        case .usable: try printRows(usable(opened).intervals, UsableTables.ofIntervals)
        case .wells: try printRows(usable(opened).views, UsableTables.ofWells)
        case .labels: try printLabels(opened)
        case .record:
            let run = try chosenRun(opened)
            let version = AutoQC.configuration.version
            guard
                let record = try QualityRecord(run: run, ledger: opened, tree: ledger.tree, version: version)
            else {
                throw DataError("\(ledger.out): no frame of run \(run) has an outcome")
            }
            try StandardStreams.write(String(decoding: record.json(), as: UTF8.self))
        }
    }

    private func printFrames(_ opened: FrameLedger) throws {
        let table = FrameTable.table
        let form: TableForm = jsonl ? .jsonLines : .csv
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
        // The frames of a stack follow one another.
        let rule = stacks == nil ? usableFrames.rule() : usableFrames.rule(bridged: 0)
        return try UsableTables(ledger: opened, tree: ledger.tree, run: oneRun, well: oneWell, rule: rule)
    }

    private func printRows<Row>(_ rows: [Row], _ table: Table<Row>) throws {
        let form: TableForm = jsonl ? .jsonLines : .csv
        if let header = table.header(form) { try Terminal.say(header) }
        for row in rows { try Terminal.say(table.line(row, form)) }
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

    private func writeStackLists(_ opened: FrameLedger, to folder: String) throws {
        // Lists of intervals that are no more must not stay.
        guard (try? FileManager.default.contentsOfDirectory(atPath: folder))?.isEmpty ?? true else {
            throw DataError("\(folder): is not empty; name a new folder")
        }
        try OutputFolderPath.make(folder)
        let outcome = try StackLists.write(usable(opened), ledger: opened, to: folder)
        let left =
            outcome.leftOut > 0
            ? "; \(outcome.leftOut) intervals are pages of movies, which a list cannot name, and left out"
            : ""
        Terminal.note("\(folder): \(outcome.lists) lists of \(outcome.frames) usable frames\(left)")
        if outcome.leftOut > 0 { throw ExitCode.failure }
    }

    private func chosenRun(_ opened: FrameLedger) throws -> String {
        if let oneRun { return oneRun }
        guard let run = try opened.runs().first?.run else {
            throw DataError("\(ledger.out): no frame has an outcome yet")
        }
        return run
    }

    private func writePlate(_ opened: FrameLedger, to folder: String) throws {
        let there = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        guard there.isEmpty else {
            throw DataError("\(folder): is not empty; name a new folder")
        }
        try OutputFolderPath.make(folder)
        let run = try chosenRun(opened)
        let archive = PlateArchive(
            run: run,
            ledger: opened,
            tree: ledger.tree,
            flaggedOnly: flaggedOnly,
            folder: folder
        )
        var terminal = Terminal()
        let outcome = try archive.write { well, outcome in
            terminal.progress("\(well): \(outcome.frames) frames")
        }
        guard outcome.wells > 0 else {
            throw DataError("\(ledger.out): no frame of run \(run) can be read; are its files still there?")
        }
        terminal.progress(
            "\(folder): run \(run), \(outcome.wells) wells, \(outcome.frames) frames, \(outcome.masks) masks"
                + (outcome.leftOut > 0
                    ? "; \(outcome.leftOut) frames whose files are gone or of another size left out" : ""),
            isLast: true
        )
        for (frame, paths) in outcome.shared.prefix(5) {
            Terminal.note(
                "\(frame): \(paths.count) files say this frame; their planes follow one another: "
                    + paths.joined(separator: ", ")
            )
        }
        if outcome.shared.count > 5 {
            Terminal.note("so do files of \(outcome.shared.count - 5) more frames")
        }
        if outcome.leftOut > 0 { throw ExitCode.failure }
    }

    private func writeLabelImages(_ opened: FrameLedger, to folder: String) throws {
        try OutputFolderPath.make(folder)
        let outcome = try LabelImages.write(run: oneRun, ledger: opened, tree: ledger.tree, to: folder)
        let left = outcome.leftOut > 0 ? "; \(outcome.leftOut) masks cannot be read" : ""
        Terminal.note("\(folder): \(outcome.written) label images\(left)")
        if outcome.leftOut > 0 { throw ExitCode.failure }
    }
}
