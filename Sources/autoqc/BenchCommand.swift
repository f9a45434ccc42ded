import ArgumentParser

/// `autoqc bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine: lines of `name median p90 unit`.",
        discussion: "Quote ratios of one run; other work on the machine moves every figure.",
        subcommands: [BenchNetworkCommand.self]
    )
}
