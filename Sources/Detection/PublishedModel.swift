import Checkpoints
package import Diffusion
import Networks

/// The model that a checkpoint of the published system becomes, and the settings that had to be assumed.
package struct PublishedModel: Sendable {
    /// The user's settings for a checkpoint; they override its own.
    package struct Options: Sendable {
        /// The method.
        package var method: Method?
        /// Channels of an attention head.
        package var headChannels: Int?
        /// Pixels per side of the window.
        package var window: Int?
        /// Pixels per side of a patch.
        package var patch: Int?
        /// Share of a window that the next one covers again.
        package var overlap = 0.8
        /// The timestep at test, an index into the schedule.
        package var timestep: Int?
        /// The kind of noise.
        package var noise: NoiseKind?
        /// How input and reconstruction are compared.
        package var residual: Residual?

        /// No settings.
        package init() {}
    }

    /// The model without its weights and thresholds.
    package let description: ModelDescription
    /// The options for settings that nothing tells, each with the published value that was taken.
    package let assumed: [String]

    private static let publishedHeadChannels = 64

    /// Settles method, network and settings.
    ///
    /// `path` is for messages, and `name` is the file's. Refused are weights of no published network, hyper-parameters that cannot be used, and those
    /// that contradict the weights.
    package init(
        shapes: [String: [Int]],
        configuration: PublishedConfiguration,
        options: Options,
        path: String,
        name: String
    ) throws(ModelError) {
        let heads = options.headChannels ?? configuration.headChannels
        guard
            let found = PublishedNetwork(shapes: shapes, headChannels: heads ?? Self.publishedHeadChannels)
        else {
            let names = shapes.keys.sorted().prefix(5).map(\.printable).joined(separator: ", ")
            let isPart = shapes["l1.0.weight"] != nil || shapes["adv_layer.0.weight"] != nil
            throw ModelError(
                code: .unfitWeights,
                path: path,
                detail: isPart
                    ? "is one of the three files of an f-AnoGAN; name all three, or their folder"
                    : "its weights are of no network that is known here: \(names); give another checkpoint"
            )
        }
        let contradictions = configuration.contradictions(with: found, overridden: options.given)
        guard contradictions.isEmpty else {
            throw ModelError(
                code: .unfitSettings,
                path: path,
                detail:
                    "its hyper-parameters do not fit: \(contradictions.joined(separator: "; ")). Options of "
                    + "`autoqc import --help` override hyper-parameters, but not the weights"
            )
        }
        let method = options.method ?? found.method
        var settings = ReferenceSettings(published: method)
        var assumed: [String] = []
        func settle<Value>(_ option: String, _ known: Value?, _ published: Value, _ words: (Value) -> String)
            -> Value
        {
            if known == nil { assumed.append("\(option) \(words(published))") }
            return known ?? published
        }
        settings.network = found.network
        if method != .fanogan { _ = settle("--head-channels", heads, Self.publishedHeadChannels) { "\($0)" } }
        let window = options.window ?? configuration.window ?? found.imageSize
        settings.window = settle("--window", window, settings.window) { "\($0)" }
        settings.patch = settings.window
        if method == .pddpm {
            // A patch of the hyper-parameters belongs to their window.
            let patch = options.patch ?? (options.window == nil ? configuration.patch : nil)
            settings.patch = settle("--patch", patch, settings.window / 2) { "\($0)" }
        }
        if method == .pddpm || method == .ddpm {
            settings.steps = configuration.steps ?? settings.steps
            let timestep = options.timestep ?? configuration.timestep
            settings.timestep = settle("--timestep", timestep, settings.timestep) { "\($0)" }
        } else if let timestep = options.timestep {
            settings.timestep = timestep
        }
        if method != .fanogan {
            settings.noise = settle(
                "--noise",
                options.noise ?? configuration.noise,
                settings.noise,
                \.rawValue
            )
        }
        settings.overlap = options.overlap
        self.assumed = assumed
        description = ModelDescription(
            method: method,
            reference: settings,
            residual: options.residual ?? configuration.residual ?? .l1DSSIM,
            training: ModelDescription.Provenance(
                command: "autoqc import \(name)",
                steps: 0,
                seed: 0,
                frames: 0,
                validationLoss: nil
            )
        )
    }
}

extension PublishedModel.Options {
    /// The settings that the user gave.
    fileprivate var given: Set<PublishedConfiguration.Setting> {
        let all: [(PublishedConfiguration.Setting, Bool)] = [
            (.method, method != nil), (.window, window != nil), (.patch, patch != nil),
            (.timestep, timestep != nil), (.noise, noise != nil), (.headChannels, headChannels != nil),
        ]
        return Set(all.filter(\.1).map(\.0))
    }
}
