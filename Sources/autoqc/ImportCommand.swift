import ArgumentParser
import Checkpoints
import Detection
import Diffusion
import Files
import Foundation
import Networks
import Tensors

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a model of a checkpoint of the published Python system.",
        discussion: """
            Reads .ckpt and .pt files of PyTorch (a plain state dict or PyTorch Lightning's) and .safetensors. Nothing in \
            the file is run. Method and size of the network follow from the weights' names and shapes; what they cannot \
            tell is asked for by the options. The model has no thresholds yet: `autoqc calibrate` finds them.
            """
    )

    @Argument(help: "The checkpoint: .ckpt, .pt or .safetensors.")
    var checkpoint: String
    @Option(help: "The model file to write.")
    var out: String
    @Option(help: "pddpm, ddpm, ae, vae or fanogan (default: what the weights are of).")
    var method: Method?
    @Option(
        help: "Channels of an attention head (default: 64, as published).",
        transform: NumberOption.within(1...4096)
    )
    var headChannels: Int?
    @Option(
        help: "Pixels per side of the sliding window (default: 192, or what VAE and f-AnoGAN are made for).",
        transform: NumberOption.within(NumberOption.side)
    )
    var window: Int?
    @Option(
        help: "Pixels per side of a pDDPM's patches (default: half the window).",
        transform: NumberOption.within(NumberOption.side)
    )
    var patch: Int?
    @Option(
        help: "Share of a window that the next one covers again, from 0 to below 1.",
        transform: NumberOption.within(NumberOption.overlap)
    )
    var overlap = 0.8
    @Option(
        help: "Test timestep, an index into the 1000 steps of the schedule (default: 49; AE and VAE: 0).",
        transform: NumberOption.within(NumberOption.timestep)
    )
    var timestep: Int?
    @Option(help: "simplex, gaussian or coarse (default: simplex; DDPM: gaussian).")
    var noise: NoiseKind?
    @Option(help: "How input and reconstruction are compared: l1, l2, dssim or l1+dssim.")
    var residual = Residual.l1DSSIM
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: "Beginnings of names to leave out of the checkpoint."
    )
    var skip: [String] = []

    /// Names that are shown of a list that is for information only.
    private static let shown = 5

    func run() throws {
        try OutputFile.check(out)
        let weights = try PublishedWeights(try Checkpoint(path: checkpoint), path: checkpoint, leaving: skip)
        if !weights.skipped.isEmpty {
            Terminal.note("skipped what no network needs: \(Self.list(weights.skipped))")
        }
        let shapes = weights.tensors.mapValues(\.shape)
        guard let found = PublishedNetwork(shapes: shapes, headChannels: headChannels ?? 64) else {
            throw refusal(
                "its weights are of no network that is known here: \(Self.list(shapes.keys.sorted()))"
            )
        }
        let description = description(of: found)
        let (model, faults) = Model.published(weights.tensors, description: description)
        guard let model else {
            for fault in faults { Terminal.note(fault) }
            throw refusal(
                "\(faults.count == 1 ? "this does" : "these \(faults.count) things do") not fit "
                    + "\(description.method.rawValue)"
            )
        }
        try model.write(path: out)
        Terminal.note("wrote \(out): \(Self.words(description))")
        if let assumed = assumed(found) { Terminal.note(assumed) }
        Terminal.note("it has no thresholds yet; run `autoqc calibrate \(out) --normal FOLDER`")
    }

    /// Settings that no shape tells and no option gives, for the user to confirm.
    private func assumed(_ found: PublishedNetwork) -> String? {
        var options: [String] = []
        if case .fanogan = found.network {} else if headChannels == nil { options.append("--head-channels") }
        if window == nil, found.imageSize == nil { options.append("--window") }
        guard !options.isEmpty else { return nil }
        return
            "its weights cannot tell \(options.joined(separator: " and ")), which \(options.count == 1 ? "is" : "are") "
            + "assumed to be as published"
    }

    private func description(of found: PublishedNetwork) -> ModelDescription {
        let method = method ?? found.method
        var settings = ReferenceSettings(published: method)
        settings.network = found.network
        settings.window = window ?? found.imageSize ?? settings.window
        settings.patch = method == .pddpm ? patch ?? settings.window / 2 : settings.window
        settings.overlap = overlap
        if let timestep { settings.timestep = timestep }
        if let noise { settings.noise = noise }
        let name = URL(filePath: checkpoint).lastPathComponent
        return ModelDescription(
            method: method,
            reference: settings,
            residual: residual,
            training: ModelDescription.Provenance(
                command: "autoqc import \(name)",
                steps: 0,
                seed: 0,
                frames: 0,
                validationLoss: nil
            )
        )
    }

    private func refusal(_ clause: String) -> ModelError {
        ModelError(
            code: .unfitWeights,
            path: checkpoint,
            detail:
                "\(clause); say with the options of `autoqc import --help` what it is, or give another checkpoint"
        )
    }

    /// The model in words, for the user to compare with the intended one.
    private static func words(_ description: ModelDescription) -> String {
        guard let settings = description.reference else { return description.method.rawValue }
        let network =
            switch settings.network {
            case .unet(let size): words(size)
            case .autoencoder(let size): words(size)
            case .fanogan(let size): "latent vector of \(size.latent)"
            }
        let patches = description.method == .pddpm ? ", patch \(settings.patch)" : ""
        return "\(description.method.rawValue), \(network), window \(settings.window)\(patches), overlap "
            + "\(settings.overlap), timestep \(settings.timestep), residual \(description.residual.rawValue)"
    }

    private static func words(_ size: some FamilySize) -> String {
        "\(size.channels) channels x \(size.multipliers), \(size.residualBlocks) blocks a level, heads of "
            + "\(size.headChannels)"
    }

    private static func list(_ names: [String]) -> String {
        let rest = names.count - shown
        return names.prefix(shown).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
