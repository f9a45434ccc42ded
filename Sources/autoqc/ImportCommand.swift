import ArgumentParser
import Checkpoints
import Detection
import Diffusion
import Files
import Foundation
import Plate
import Tensors
import Training

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a model of a published checkpoint, or of an ONNX file of autoqc.",
        discussion: """
            Reads .ckpt, .pt and .pth files of PyTorch (state dicts, also of PyTorch Lightning) and \
            .safetensors. Nothing in the file is run. Method and size of the network follow from names and \
            shapes of the weights, other settings from the hyper-parameters in the file. Options override \
            them. Settings that are in no file are assumed to be as published, and named. f-AnoGAN needs \
            three files: name each, or their folder. The model has no thresholds yet: `autoqc score --maps` \
            needs none, `autoqc calibrate` finds them. An .onnx file of `autoqc export-model` gives the \
            model back, thresholds included.

            Examples:
              autoqc import epoch-299.ckpt --out pddpm.safetensors
              autoqc import fold0/ --out fanogan.safetensors
              autoqc import model.onnx --out model.safetensors
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The checkpoint. For f-AnoGAN three files, or a folder with generator, discriminator and encoder.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var checkpoints: [String]
    @Option(help: ArgumentHelp("The model file to write.", valueName: "FILE"), completion: .file())
    var out: String
    @Option(
        help: ArgumentHelp(
            "pddpm, ddpm, ae, vae or fanogan (default: what the weights are of).",
            valueName: "METHOD"
        )
    )
    var method: Method?
    @Option(
        help: ArgumentHelp("Channels of an attention head (default: 64, as published).", valueName: "N"),
        transform: NumberOption.within(1...4096)
    )
    var headChannels: Int?
    @Option(
        help: ArgumentHelp(
            "Pixels per side of the sliding window (default: what the checkpoint tells, else 192).",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.side)
    )
    var window: Int?
    @Option(
        help: ArgumentHelp(
            "Pixels per side of a pDDPM's patches (default: what the checkpoint tells, else half the window).",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.side)
    )
    var patch: Int?
    @Option(
        help: ArgumentHelp(
            "Share of a window that the next one covers again, from 0 to below 1.",
            valueName: "SHARE"
        ),
        transform: NumberOption.within(NumberOption.overlap)
    )
    var overlap = 0.8
    @Option(
        help: ArgumentHelp(
            "Test timestep, an index into the steps of the schedule (default: that of the checkpoint, else 49, or 0 for AE and VAE).",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.timestep)
    )
    var timestep: Int?
    @Option(
        help: ArgumentHelp(
            "simplex, gaussian or coarse (default: that of the checkpoint, else simplex, or gaussian for DDPM).",
            valueName: "NAME"
        )
    )
    var noise: NoiseKind?
    @Option(
        help: ArgumentHelp(
            "Residual of input and reconstruction, one of l1, l2, dssim, l1+dssim (default: that of the checkpoint, else l1+dssim).",
            valueName: "NAME"
        )
    )
    var residual: Residual?
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp("Beginnings of names to leave out of the checkpoint.", valueName: "NAME")
    )
    var skip: [String] = []

    /// Names that are shown of a list that is for information only.
    private static let shown = 5

    func validate() throws {
        guard checkpoints.count == 1 || checkpoints.count == Self.parts.count else {
            throw ValidationError(
                "give one checkpoint or folder, or the three files of an f-AnoGAN: \(Self.parts.joined(separator: ", "))"
            )
        }
        let given = [
            ("--method", method != nil), ("--head-channels", headChannels != nil),
            ("--window", window != nil), ("--patch", patch != nil), ("--timestep", timestep != nil),
            ("--noise", noise != nil), ("--residual", residual != nil), ("--skip", !skip.isEmpty),
        ].filter(\.1).map(\.0)
        guard !isONNX || given.isEmpty else {
            throw ValidationError(
                "\(given.joined(separator: ", ")): for checkpoints; the settings of an ONNX file are its own"
            )
        }
    }

    /// Whether it is a file of `autoqc export-model`.
    private var isONNX: Bool { checkpoints.count == 1 && place.lowercased().hasSuffix(".onnx") }

    func run() throws {
        try OutputFile.check(out)
        guard !isONNX else { return try importONNX() }
        let (weights, parameters) = try read()
        if !weights.skipped.isEmpty {
            Terminal.note("skipped what no network needs: \(Self.list(weights.skipped))")
        }
        let published = try PublishedModel(
            shapes: weights.tensors.mapValues(\.shape),
            configuration: PublishedConfiguration(parameters),
            options: options,
            path: place,
            name: checkpoints.map { ExactPath($0).name }.joined(separator: " ")
        )
        let description = published.description
        let (model, faults) = Model.published(weights.tensors, description: description)
        guard let model else {
            for fault in faults { Terminal.note(fault) }
            throw refusal(
                "\(faults.count == 1 ? "this does" : "these \(faults.count) things do") not fit "
                    + "\(description.method.rawValue)"
            )
        }
        try model.write(path: out)
        Terminal.note("wrote \(out): \(description.words)")
        if !published.assumed.isEmpty {
            Terminal.note(
                "neither weights nor hyper-parameters tell these settings; they are assumed to be as published: "
                    + published.assumed.joined(separator: ", ")
            )
        }
        Terminal.note(
            "it has no thresholds yet: `autoqc score --maps` gives scores and maps, `autoqc calibrate \(out) --normal FOLDER` finds thresholds"
        )
    }

    /// Gives back a model that was exported; its settings are its own.
    private func importONNX() throws {
        let data = try Data(contentsOf: URL(filePath: place))
        let model = try Model(onnx: data, path: place)
        try model.write(path: out)
        Terminal.note("wrote \(out): \(model.description.words)")
    }

    /// The files of f-AnoGAN, as its training names them.
    private static let parts = ["generator", "discriminator", "encoder"]
    private static let endings = ["pth", "pt", "ckpt", "safetensors"]

    /// What is read, for messages.
    private var place: String { checkpoints.joined(separator: ", ") }

    private func read() throws -> (PublishedWeights, HyperParameters) {
        let paths = try files()
        guard paths.count == 1 else {
            let parts = try paths.map { path throws(CheckpointError) in (try Checkpoint(path: path), path) }
            return (try PublishedWeights(fanogan: parts, leaving: skip), HyperParameters())
        }
        let checkpoint = try Checkpoint(path: paths[0])
        return (
            try PublishedWeights(checkpoint, path: paths[0], leaving: skip), checkpoint.hyperParameters
        )
    }

    /// The files to read: those named, or f-AnoGAN's in a folder.
    private func files() throws -> [String] {
        var isFolder: ObjCBool = false
        guard checkpoints.count == 1,
            unsafe FileManager.default.fileExists(atPath: checkpoints[0], isDirectory: &isFolder),
            isFolder.boolValue
        else { return checkpoints }
        return try Self.parts.map { part in
            let paths = Self.endings.map { ExactPath(checkpoints[0]).appending("\(part).\($0)").text }
            guard let path = paths.first(where: FileManager.default.fileExists) else {
                throw DataError(
                    "\(checkpoints[0]): no \(part).pth in there; name a checkpoint, or the folder with the three files of an f-AnoGAN"
                )
            }
            return path
        }
    }

    private var options: PublishedModel.Options {
        var options = PublishedModel.Options()
        (options.method, options.headChannels, options.window) = (method, headChannels, window)
        (options.patch, options.overlap, options.timestep) = (patch, overlap, timestep)
        (options.noise, options.residual) = (noise, residual)
        return options
    }

    private func refusal(_ clause: String) -> ModelError {
        ModelError(
            code: .unfitWeights,
            path: place,
            detail:
                "\(clause); say with the options of `autoqc import --help` what it is, or give another checkpoint"
        )
    }

    private static func list(_ names: [String]) -> String {
        let rest = names.count - shown
        return names.prefix(shown).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
