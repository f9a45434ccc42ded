import ArgumentParser

/// `autoqc measure`.
struct MeasureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measure this machine: lines of `name median p90 unit`.",
        discussion: "Quote ratios of one run; other work on the machine moves every figure.",
        subcommands: [
            MeasureKernelsCommand.self, MeasureNetworkCommand.self, MeasurePipelineCommand.self,
            MeasureTrainingCommand.self, MeasureAllCommand.self,
        ],
        defaultSubcommand: MeasureAllCommand.self
    )
}

/// `autoqc measure all`.
struct MeasureAllCommand: MeasureGroup {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "Every group, one after the other."
    )

    @OptionGroup var options: MeasureOptions

    static func measure(_ options: MeasureOptions, into measurements: inout Measurements) async throws {
        // First, as its peak memory is that of the process so far.
        try await MeasurePipelineCommand.measure(options, into: &measurements)
        try await MeasureKernelsCommand.measure(options, into: &measurements)
        try await MeasureNetworkCommand.measure(options, into: &measurements)
        try await MeasureTrainingCommand.measure(options, into: &measurements)
    }
}
