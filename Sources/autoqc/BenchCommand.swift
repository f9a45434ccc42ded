import ArgumentParser

/// `autoqc bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine: lines of `name median p90 unit`.",
        discussion: "Quote ratios of one run; other work on the machine moves every figure.",
        subcommands: [
            BenchKernelsCommand.self, BenchNetworkCommand.self, BenchPipelineCommand.self,
            BenchTrainingCommand.self, BenchAllCommand.self,
        ],
        defaultSubcommand: BenchAllCommand.self
    )
}

/// `autoqc bench all`.
struct BenchAllCommand: BenchGroup {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "Every group, one after the other."
    )

    @OptionGroup var options: BenchOptions

    static func measure(_ options: BenchOptions, into measurements: inout Measurements) async throws {
        // First, as its peak memory is that of the process so far.
        try await BenchPipelineCommand.measure(options, into: &measurements)
        try await BenchKernelsCommand.measure(options, into: &measurements)
        try await BenchNetworkCommand.measure(options, into: &measurements)
        try await BenchTrainingCommand.measure(options, into: &measurements)
    }
}
