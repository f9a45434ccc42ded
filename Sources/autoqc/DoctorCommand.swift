import ArgumentParser
import Files
import Foundation
import Ledger
import Logging
import Monitoring
import Notifying
import Plate
import Reporting
import Tensors
import Training

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check what the daemon depends on, and say what to do about each problem.",
        discussion: """
            The checks: processor and precision, libraries, model, folders and their permissions, inotify \
            limits, disk space, ledger, journal, clock, files that wait, and receivers of events. Run it as \
            the user of the daemon. It exits with 1 if the daemon would not start or would not judge frames.

            Examples:
              autoqc doctor --config /etc/autoqc/plate.yaml
              autoqc doctor --config /etc/autoqc/plate.yaml --json
            """
    )

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Save what can be read of a damaged ledger into a new one instead; the daemon must not run.")
    var repair = false
    @OptionGroup var output: JSONOptions

    func run() throws {
        try output.check()
        let configuration = try options.load(checking: .nothing)
        if repair { return try Self.repair(configuration.output) }
        let diagnoses =
            [Self.cpu, Self.libraries, Self.model(configuration)] + configuration.diagnoses()
            + configuration.pageDiagnoses(file: options.config) + Self.receivers(configuration)
        let lines = diagnoses.flatMap { diagnosis in
            let padded = diagnosis.level.rawValue.padding(toLength: 4, withPad: " ", startingAt: 0)
            return ["\(padded)  \(diagnosis.subject): \(diagnosis.finding)"]
                + (diagnosis.remedy.map { ["      \($0)"] } ?? [])
        }
        try output.say(lines)
        try output.write(diagnoses)
        if diagnoses.contains(where: { $0.level == .failure }) { throw ExitCode.failure }
    }

    private static func receivers(_ configuration: Configuration) -> [Diagnosis] {
        NotificationCheck.all(of: configuration.notifyTargets, in: configuration.output).map { check in
            Diagnosis(
                check.remedy == nil ? .fine : .warning,
                "receiver \(check.name)",
                check.finding,
                remedy: check.remedy
            )
        }
    }

    private static func repair(_ tree: OutputTree) throws {
        guard FileManager.default.fileExists(atPath: tree.ledger) else {
            throw DataError("\(tree.root) has no ledger to repair; the daemon makes one when it starts")
        }
        let lock = try OutputLock(tree: tree)
        defer { withExtendedLifetime(lock) {} }
        guard let repair = try LedgerRepair.repair(tree.ledger, at: .now) else {
            return try Terminal.say("ok    ledger: \(tree.ledger) is sound; nothing was changed")
        }
        let rows = ["frames", "alarms"].map { "\(repair.saved[$0, default: 0]) \($0)" }
        try Terminal.say("ok    ledger: \(tree.ledger) was damaged (\(repair.problem)) and is made again")
        try Terminal.say("      saved: \(rows.joined(separator: ", ")); the damaged file is \(repair.kept)")
        try Terminal.say("      start the daemon: it judges the frames again that have no outcome now")
        try Terminal.say("      if you have a newer backup, put it in place of \(tree.ledger) before that")
    }

    private static var cpu: Diagnosis {
        let cores = Processors.usable
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let flags = info.split(separator: "\n").first { $0.hasPrefix("flags") }?.split(separator: " ") ?? []
        let has = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"].filter {
            flags.contains(Substring($0))
        }
        let words = "\(cores) cores, \(has.isEmpty ? "no vector extensions" : has.joined(separator: " "))"
        guard has.isEmpty else { return Diagnosis(.fine, "cpu", words) }
        return Diagnosis(
            .warning,
            "cpu",
            words,
            remedy:
                "without AVX2 a full plate is too much for two cores; frames are then judged late, none is lost"
        )
    }

    private static var libraries: Diagnosis {
        Diagnosis(.fine, "libraries", "oneDNN \(Machine.oneDNN), \(Machine.openBLAS)")
    }

    private static func model(_ configuration: Configuration) -> Diagnosis {
        do {
            let judge = try WatchCommand.judge(configuration, Logger(label: "autoqc"))
            return Diagnosis(
                .fine,
                "model",
                "\(configuration.model) is \(judge.model), judges in \(judge.precisionName)"
            )
        } catch {
            return Diagnosis(
                .failure,
                "model",
                "\(error)",
                remedy: "name a calibrated model in the configuration"
            )
        }
    }
}
