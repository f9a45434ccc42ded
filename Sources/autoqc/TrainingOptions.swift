import ArgumentParser
import Benchmarking
import Detection
import Diffusion
import Foundation
import Networks
import Training

/// Options of a benchmark for the training of missing models.
struct TrainingOptions: ParsableArguments {
    @Flag(help: "Train the published methods whose model is not there yet.")
    var train = false
    @Option(
        help: ArgumentHelp("Training steps of each method (default: 300 epochs).", valueName: "N"),
        transform: NumberOption.within(NumberOption.steps)
    )
    var steps: Int?
    @Option(
        help: ArgumentHelp("Crops per step (default: 8).", valueName: "N"),
        transform: NumberOption.within(NumberOption.batch)
    )
    var batch: Int?
    @Option(
        help: ArgumentHelp("Learning rate (default: 1e-4).", valueName: "RATE"),
        transform: NumberOption.within(NumberOption.learningRate)
    )
    var learningRate: Float?
    @OptionGroup(title: "Options of the reference profile")
    var reference: ReferenceOptions

    func validate() throws {
        guard steps == nil || reference.epochs == nil else {
            throw ValidationError("give --steps or --epochs, not both")
        }
    }

    /// Trains one method after another; gives a sentence for each that could not be trained.
    ///
    /// A training that was stopped goes on from its checkpoint.
    func trainMissing(into folder: String, lists: BenchmarkSplits, only names: [String]) throws -> [String] {
        try OutputFolderPath.make(folder)
        var problems: [String] = []
        for method in Method.allCases where names.isEmpty || names.contains(method.rawValue) {
            let model = "\(folder)/\(method.rawValue).safetensors"
            guard !FileManager.default.fileExists(atPath: model) else { continue }
            Terminal.note("training \(method.rawValue)")
            do {
                try command(for: method, model: model, lists: lists).run()
            } catch let code as ExitCode { throw code } catch {
                problems.append("\(method.rawValue): cannot be trained: \(error); the method is left out")
            }
        }
        return problems
    }

    private func command(for method: Method, model: String, lists: BenchmarkSplits) throws -> TrainCommand {
        var command = try TrainCommand.parse([
            "--method", method.rawValue, "--profile", "reference", "--normal", ".", "--out", model,
        ])
        command.normal = lists.normalTrain.map(\.image)
        command.validation = lists.normalValidation.map(\.image)
        (command.steps, command.batch, command.learningRate) = (steps, batch, learningRate)
        command.reference = reference
        command.resume = FileManager.default.fileExists(atPath: model + ".checkpoint")
        return command
    }
}

/// Options of a training of the `reference` profile; the defaults are the published values.
struct ReferenceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Times every frame is shown (default: 300).", valueName: "N"),
        transform: NumberOption.within(1...1_000_000)
    )
    var epochs: Int?
    @Option(
        help: ArgumentHelp("Channels at full resolution, a multiple of 32 (default: 128).", valueName: "N"),
        transform: NumberOption.within(32...1024)
    )
    var channels: Int?
    @Option(
        help: ArgumentHelp("Multiple of the channels at each level (default: 1,2,2).", valueName: "N,N,...")
    )
    var multipliers: NumberList?
    @Option(
        help: ArgumentHelp("Residual blocks a level (default: 3).", valueName: "N"),
        transform: NumberOption.within(1...16)
    )
    var blocks: Int?
    @Option(
        help: ArgumentHelp(
            "Pixels per side of the sliding window and of the crops (default: 192).",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.side)
    )
    var window: Int?
    @Option(
        help: ArgumentHelp("Length of the latent vector of VAE and f-AnoGAN (default: 256).", valueName: "N"),
        transform: NumberOption.within(1...65_536)
    )
    var latent: Int?
    @Option(
        help: ArgumentHelp(
            "Share of a window that the next one covers again (default: 0.8).",
            valueName: "SHARE"
        ),
        transform: NumberOption.within(NumberOption.overlap)
    )
    var overlap: Double?

    var given: [String] {
        let all: [(String, Bool)] = [
            ("--epochs", epochs != nil), ("--channels", channels != nil),
            ("--multipliers", multipliers != nil),
            ("--blocks", blocks != nil), ("--window", window != nil), ("--latent", latent != nil),
            ("--overlap", overlap != nil),
        ]
        return all.filter(\.1).map(\.0)
    }

    /// The published settings of a method with what was given instead.
    func settings(of method: Method, noiseSeed: UInt64) -> ReferenceSettings {
        var settings = ReferenceSettings(published: method)
        settings.noiseSeed = noiseSeed
        if let window {
            settings.window = window
            settings.patch = method == .pddpm ? window / 2 : window
        }
        if let overlap { settings.overlap = overlap }
        settings.network = resized(settings.network, window: settings.window)
        return settings
    }

    private func resized(_ network: NetworkConfiguration, window: Int) -> NetworkConfiguration {
        switch network {
        case .unet(var configuration):
            resize(&configuration, window: window)
            return .unet(configuration)
        case .autoencoder(var configuration):
            resize(&configuration, window: window)
            configuration.variational?.imageSize = window
            if let latent { configuration.variational?.latent = latent }
            return .autoencoder(configuration)
        case .fanogan(var configuration):
            configuration.imageSize = window
            if let latent { configuration.latent = latent }
            return .fanogan(configuration)
        }
    }

    private func resize(_ size: inout some FamilySize, window: Int) {
        if let channels { size.channels = channels }
        if let multipliers { size.multipliers = multipliers.values }
        if let blocks { size.residualBlocks = blocks }
        size.attentionLevels = size.publishedAttentionLevels(window: window)
        // The published 64 channels a head, or 32 where those do not divide the channels of a level with attention.
        let attending = size.attentionLevels.map { size.multipliers[$0] } + [size.multipliers.last ?? 1]
        size.headChannels = attending.allSatisfy { size.channels * $0 % 64 == 0 } ? 64 : 32
    }
}

extension Method: ExpressibleByArgument {}
extension NoiseKind: ExpressibleByArgument {}
extension Residual: ExpressibleByArgument {}

/// Options of the network of the `realtime` profile; the defaults are the shipped model's values.
struct RealtimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Channels at three resolutions, each half the one before (default: 24,48,64).",
            valueName: "N,N,..."
        )
    )
    var widths: NumberList?
    @Option(
        help: ArgumentHelp("Residual blocks at each of the three (default: 1,1,2).", valueName: "N,N,...")
    )
    var depths: NumberList?
    @Option(
        help: ArgumentHelp(
            "Pixels per side of the square that becomes one position of the network, 4 or 8 (default: 4).",
            valueName: "N"
        ),
        transform: NumberOption.within(4...8)
    )
    var unshuffle: Int?

    var given: [String] {
        let all = [
            ("--widths", widths != nil), ("--depths", depths != nil), ("--unshuffle", unshuffle != nil),
        ]
        return all.filter(\.1).map(\.0)
    }

    func validate() throws {
        guard architecture != nil else {
            throw ValidationError("--widths and --depths take three numbers each, --unshuffle is 4 or 8")
        }
    }

    /// The network asked for; `nil` if there is none of this kind.
    var architecture: RealtimeUNet.Architecture? {
        let standard = RealtimeUNet.Architecture.standard
        return RealtimeUNet.Architecture(
            unshuffle: unshuffle ?? standard.unshuffle,
            channels: widths?.values ?? standard.channels,
            blocks: depths?.values ?? standard.blocks,
            embedding: standard.embedding
        )
    }
}

/// Numbers with commas in between.
struct NumberList: ExpressibleByArgument {
    let values: [Int]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Int($0) }.filter((0...4096).contains)
        guard values.count == parts.count else { return nil }
    }
}
