import ArgumentParser
import CKernels
import Files
import Reporting

@main
struct AutoQC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoqc",
        abstract: "Quality control beside a high-throughput microscope.",
        version: BuildInfo.version,
        subcommands: [
            WatchCommand.self, ValidateCommand.self, DoctorCommand.self, NotifyCommand.self, TailCommand.self,
            AuditCommand.self,
            SyncCommand.self,
            ExportCommand.self, ViewCommand.self, ReviewCommand.self,
            RejudgeCommand.self, LensesCommand.self, ScoreCommand.self, TrainCommand.self,
            CalibrateCommand.self, ImportCommand.self, BenchmarkCommand.self, SimulateCommand.self,
            MeasureCommand.self,
        ]
    )

    static func main() async {
        StandardStreams.prepare()
        aqc_keep_freed_memory()
        await main(nil)
    }
}
