import ArgumentParser
import CKernels
import Files
import Foundation
import Plate
import Reporting
import StrictYAML
import Systemd

@main
struct AutoQC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoqc",
        abstract: "Quality control beside a high-throughput microscope.",
        version: "autoqc \(BuildInfo.version)",
        subcommands: [
            WatchCommand.self, ValidateCommand.self, DoctorCommand.self, NotifyCommand.self, TailCommand.self,
            AuditCommand.self,
            SyncCommand.self,
            ExportCommand.self, ViewCommand.self, ReviewCommand.self,
            RejudgeCommand.self, LensesCommand.self, ScoreCommand.self, MergeCommand.self, TrainCommand.self,
            CalibrateCommand.self, ImportCommand.self, ExportModelCommand.self, ModelCommand.self,
            BenchmarkCommand.self, SimulateCommand.self,
            MeasureCommand.self,
        ]
    )

    static func main() async {
        ProcessSignals.unblock()
        StandardStreams.prepare()
        aqc_keep_freed_memory()
        do {
            try checkCommand(CommandLine.arguments.dropFirst().first)
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: FileTrouble(error) ?? error)
        }
    }

    /// Refuses a first word that is no command, and names the one that was probably meant.
    private static func checkCommand(_ word: String?) throws {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return }
        let meant = NearestName.of(word, among: names).map { "; did you mean `autoqc \($0)`?" } ?? ""
        throw ValidationError("there is no command \(printableName(word))\(meant)")
    }
}

/// What Foundation says of a file that it could not read or write, as a sentence.
private struct FileTrouble: Error, CustomStringConvertible {
    let description: String

    /// `nil` for another error.
    init?(_ error: any Error) {
        guard let error = error as? CocoaError, let path = error.filePath ?? error.url?.path else {
            return nil
        }
        let reason = (error.underlying as? POSIXError).map {
            unsafe String(cString: strerror($0.code.rawValue))
        }
        description =
            "\(path): cannot be read or written (\(reason ?? "error \(error.code.rawValue) of Foundation")); check what is there and its "
            + "permissions"
    }
}
