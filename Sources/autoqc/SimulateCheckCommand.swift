import ArgumentParser
import Foundation
import Simulation

/// `autoqc simulate check`.
struct SimulateCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Hold what `autoqc watch` found against the truth about a simulated plate.",
        discussion: """
            Joins the ledger, or alarm logs where there is none, with truth.csv: recall and precision, from a fault's onset \
            to its ONSET line, latency from the file's end to judgement and alarm, frames missed or judged twice. Exits \
            with 0 only if no frame was missed and the limits given hold, with 1 otherwise.
            """
    )

    @Option(help: "The output folder of `autoqc watch`.")
    var out: String
    @Option(help: "The truth that `autoqc simulate plate` wrote.")
    var truth: String
    @Option(help: "Write the report to a file as JSON, too.")
    var json: String?
    @Flag(help: "Use the alarm logs alone; which frames were missed is then not known, and no failure.")
    var alarmsOnly = false
    @Option(help: "Least share of faulty frames found, 0 to 1.")
    var minRecall: Double?
    @Option(help: "Least share of right alarms, 0 to 1.")
    var minPrecision: Double?
    @Option(help: "Largest share of normal frames taken for faulty, 0 to 1.")
    var maxFalseAlarms: Double?
    @Option(help: "Largest 99th percentile from a file's end to its judgement, in s.")
    var maxP99: Double?

    func run() throws {
        let rows = try TruthRow.load(path: truth)
        let folder = URL(filePath: out).standardizedFileURL.path
        let report = try PlateCheck.report(folder: folder, truth: rows, alarmsOnly: alarmsOnly)
        let text = report.table.joined(separator: "\n") + "\n"
        FileHandle.standardOutput.write(Data(text.utf8))
        if let json { try write(report, to: json) }
        let limits = CheckLimits(
            recall: minRecall,
            precision: minPrecision,
            falseAlarmRate: maxFalseAlarms,
            latency99: maxP99,
            allowsUnknown: alarmsOnly
        )
        let shortcomings = limits.shortcomings(of: report)
        for sentence in shortcomings { Terminal.note("not as asked: \(sentence)") }
        if !shortcomings.isEmpty { throw ExitCode.failure }
    }

    private func write(_ report: CheckReport, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try (encoder.encode(report) + Data("\n".utf8)).write(to: URL(filePath: path))
    }
}
