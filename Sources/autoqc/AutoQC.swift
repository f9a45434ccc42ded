import ArgumentParser

/// Quality control beside a high-throughput microscope.
@main
struct AutoQC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoqc",
        abstract: "Quality control beside a high-throughput microscope.",
        subcommands: [
            WatchCommand.self, ValidateCommand.self, ScoreCommand.self, TrainCommand.self,
            CalibrateCommand.self, BenchmarkCommand.self, SimulateCommand.self, BenchCommand.self,
        ]
    )
}
