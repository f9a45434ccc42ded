import ArgumentParser
import Detection
import Diffusion
import Files
import Networks
import Tensors

struct MeasureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measure the speed of this machine: lines of `name median p90 unit`.",
        discussion: """
            Compare figures of one run only: other work on the machine changes all of them.

            Examples:
              autoqc measure kernels --quick
              autoqc measure pipeline --model complexeye.safetensors --quick
            """,
        subcommands: [
            MeasureKernelsCommand.self, MeasureNetworkCommand.self, MeasurePipelineCommand.self,
            MeasureTrainingCommand.self, MeasurePublishedCommand.self, MeasureAllCommand.self,
        ],
        defaultSubcommand: MeasureAllCommand.self
    )
}

struct MeasureAllCommand: MeasureGroup {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "Every group but `published`, one after the other.",
        discussion: """
            Examples:
              autoqc measure all --quick
              autoqc measure all --model complexeye.safetensors --json figures.json
            """
    )

    @OptionGroup var options: MeasureOptions

    static func measure(into measurements: inout Measurements) async throws {
        // First, as its peak memory is that of the process so far.
        try await MeasurePipelineCommand.measure(into: &measurements)
        try await MeasureKernelsCommand.measure(into: &measurements)
        try await MeasureNetworkCommand.measure(into: &measurements)
        try await MeasureTrainingCommand.measure(into: &measurements)
    }
}

/// Options of every group of `measure`.
struct MeasureOptions: ParsableArguments {
    @Flag(help: "Small images, narrow networks, few measurements: whether it runs, not how fast.")
    var quick = false
    @OptionGroup var output: JSONOptions
    @Option(
        help: ArgumentHelp("Threads (default: all cores).", valueName: "N"),
        transform: NumberOption.within(NumberOption.threads)
    )
    var threads: Int?
    @Option(
        help: ArgumentHelp(
            "A model file: networks take its architecture, and a calibrated one judges frames.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var model: String?
    @Option(
        help: ArgumentHelp(
            """
            f32, int8 (the realtime network only), or bf16 where the CPU multiplies it. Default: f32, in the \
            pipeline the model's own.
            """,
            valueName: "NAME"
        )
    )
    var precision: Precision?
    @Option(
        help: ArgumentHelp("Measurements of each figure (default: 5, with --quick 1).", valueName: "N"),
        transform: NumberOption.within(1...10_000)
    )
    var passes: Int?
    @Option(
        help: ArgumentHelp("Crops of a training step (default: 8, with --quick 2).", valueName: "N"),
        transform: NumberOption.within(1...1024)
    )
    var batch: Int?

    func validate() throws {
        guard precision?.isSupported ?? true else {
            throw ValidationError("this CPU does not multiply bf16; measure with --precision f32")
        }
    }

    var trainingBatch: Int { batch ?? (quick ? 2 : 8) }
    var count: Int { passes ?? (quick ? 1 : 5) }
    var height: Int { quick ? 192 : 800 }
    var width: Int { quick ? 320 : 1280 }

    /// The realtime network's width and depth: that of `--model`, or the standard one.
    func architecture() throws -> RealtimeUNet.Architecture {
        guard let model else { return .standard }
        guard let settings = try Model.read(path: model).model.description.realtime else {
            throw ValidationError(
                "\(model) is no model of the realtime profile; give one, or leave --model out"
            )
        }
        return settings.architecture
    }
}

protocol MeasureGroup: AsyncParsableCommand {
    var options: MeasureOptions { get }

    static func measure(into measurements: inout Measurements) async throws
}

extension MeasureGroup {
    mutating func run() async throws {
        try options.output.check()
        if let threads = options.threads { Compute.setThreads(threads) }
        var measurements = Measurements(options)
        try await Self.measure(into: &measurements)
        try options.output.write(measurements.entries)
    }
}
