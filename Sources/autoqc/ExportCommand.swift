import ArgumentParser
import Auditing
import Foundation
import Ledger
import Plate

/// `autoqc export`.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print every row of the ledger, in the order of recording.",
        discussion: """
            CSV with a header line (RFC 4180), or one JSON object a line. Times are UTC; scores, severity and area have all \
            their digits.
            """
    )

    /// How rows are written.
    enum Format: String, CaseIterable, EnumerableFlag {
        case csv
        case jsonl

        static func help(for value: Format) -> ArgumentHelp? {
            value == .csv ? "Comma-separated values (the default)." : "JSON lines."
        }
    }

    @OptionGroup var ledger: LedgerOptions
    @Flag var format = Format.csv
    @Option(name: .customLong("run"), help: "One run only.")
    var oneRun: String?

    private static let flushed = 64 << 10

    func run() throws {
        let opened = try ledger.open()
        var text = format == .csv ? FrameTable.csvHeader + "\n" : ""
        try opened.forEach { record in
            if let oneRun, record.frame?.run != oneRun { return }
            text += (format == .csv ? FrameTable.csv(record) : try FrameTable.json(record)) + "\n"
            guard text.utf8.count >= Self.flushed else { return }
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
            text = ""
        }
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
