import ArgumentParser
import Files
import Foundation
import Tables

/// Where a command's report goes for programs: one rule for all commands that come to a report.
struct JSONOptions: ParsableArguments {
    @Option(
        defaultAsFlag: OutputFile.standardOutput,
        help: ArgumentHelp(
            "Write the report as JSON to FILE, too; without FILE, or for -, to standard output in place of the text.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var json: String?

    /// Refuses a file that could not be written at the end.
    func check() throws {
        if let json { try OutputFile.check(json, isText: true) }
    }

    /// Prints lines of the report for people, unless JSON takes their place.
    func say(_ lines: [String]) throws {
        guard json != OutputFile.standardOutput else { return }
        try lines.forEach(Terminal.say)
    }

    /// Writes the report where it is asked for; keys are in snake case.
    func write(_ report: some Encodable) throws {
        guard let json else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try OutputFile.write(text: String(decoding: encoder.encode(report), as: UTF8.self) + "\n", to: json)
    }
}

/// In which form a command prints its table: one rule for all commands that print one.
struct TableOptions: ParsableArguments {
    @Flag(help: "JSON lines instead of CSV.")
    var jsonl = false

    var form: TableForm { jsonl ? .jsonLines : .csv }

    /// Prints a whole table.
    func say<Row>(_ rows: [Row], _ table: Table<Row>) throws {
        if let header = table.header(form) { try Terminal.say(header) }
        for row in rows { try Terminal.say(table.line(row, form)) }
    }
}
