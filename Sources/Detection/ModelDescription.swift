import Networks
package import Tensors

/// Everything about a model but its weights; the metadata of a model file.
package struct ModelDescription: Sendable, Equatable {
    /// How frames are reconstructed.
    package var method: Method
    /// Which network and which way over the frame, with their settings.
    package var profile: Profile
    /// How input and reconstruction are compared.
    package var residual: Residual
    /// Thresholds and how they were found, at each precision that they were found at; none until calibrated.
    package var calibrations: [Precision: Calibration] = [:]
    /// The precision that `auto` takes, once a benchmark has shown that it loses nothing.
    package var preferredPrecision: Precision?
    /// The ranges inside the folded network over normal frames, which int8 needs (`RealtimeUNet.ranges`);
    /// absent until the model is quantised.
    package var ranges: [ClosedRange<Float>]?
    /// What tells the cause of a fault; absent until it was learnt from faulty frames of known causes.
    package var causes: CauseModel?
    /// Where the weights come from.
    package var training: Provenance
    /// The run whose first frames taught what is normal (`RunDetector`); absent from every other model.
    package var learntFrom: RunOrigin?

    /// The two ways of doing the same.
    package enum Profile: Sendable, Equatable {
        /// Keeps up with a plate; pDDPM only.
        case realtime(RealtimeSettings)
        /// As published: sliding windows, the large networks.
        case reference(ReferenceSettings)

        /// The profile's name on the command line and in files.
        package var name: String {
            switch self {
            case .realtime: "realtime"
            case .reference: "reference"
            }
        }
    }

    /// Where a model's weights come from.
    package struct Provenance: Sendable, Equatable, Codable {
        /// The command that trained it.
        package var command: String
        /// Steps done.
        package var steps: Int
        /// Seed of everything drawn at random.
        package var seed: UInt64
        /// Frames trained on.
        package var frames: Int
        /// Loss on held-out normal frames.
        package var validationLoss: Float?
        /// Rows of the frames that it was trained or last calibrated on; absent from older files.
        package var frameHeight: Int?
        /// Columns of those frames.
        package var frameWidth: Int?

        /// Gathers the facts.
        package init(command: String, steps: Int, seed: UInt64, frames: Int, validationLoss: Float?) {
            self.command = command
            self.steps = steps
            self.seed = seed
            self.frames = frames
            self.validationLoss = validationLoss
        }
    }

    /// What a run's first frames changed.
    package struct RunOrigin: Sendable, Equatable, Codable {
        /// Name of the model whose calibration the run's replaced.
        package var model: String
        /// The run.
        package var run: String
        /// Frames that taught.
        package var frames: Int
    }

    /// Gathers a description of a `realtime` pDDPM.
    package init(realtime settings: RealtimeSettings, residual: Residual, training: Provenance) {
        self.init(method: .pddpm, profile: .realtime(settings), residual: residual, training: training)
    }

    /// Gathers a description of a `reference` model.
    package init(
        method: Method,
        reference settings: ReferenceSettings,
        residual: Residual,
        training: Provenance
    ) {
        self.init(method: method, profile: .reference(settings), residual: residual, training: training)
    }

    private init(method: Method, profile: Profile, residual: Residual, training: Provenance) {
        self.method = method
        self.profile = profile
        self.residual = residual
        self.training = training
    }

    /// The thresholds found in float32.
    package var calibration: Calibration? {
        get { calibrations[.float32] }
        set { calibrations[.float32] = newValue }
    }

    /// What a model runs in unless told otherwise: the preferred precision, else bfloat16, if this CPU has it and the model
    /// is calibrated for it, else float32.
    ///
    /// int8 is about twice as fast and may lose detection, so it is taken only where it was checked and preferred.
    package var automaticPrecision: Precision {
        let wanted = [preferredPrecision, .bfloat16].compactMap(\.self)
        return wanted.first { $0.isSupported && calibrations[$0] != nil } ?? .float32
    }

    /// What known faults taught the calibrations; absent where there were none.
    package var classifier: TileClassifier? {
        calibrations.values.lazy.compactMap(\.normal?.classifier).first
    }

    /// The settings of a `realtime` model.
    package var realtime: RealtimeSettings? {
        if case .realtime(let settings) = profile { settings } else { nil }
    }

    /// The settings of a `reference` model.
    package var reference: ReferenceSettings? {
        if case .reference(let settings) = profile { settings } else { nil }
    }

    /// What cannot be built, in words; `nil` if everything can.
    package var fault: String? {
        switch profile {
        case .realtime(let settings):
            method == .pddpm
                ? settings.fault : "is \(method.rawValue) in the realtime profile, which knows pddpm only"
        case .reference(let settings): settings.fault(method: method)
        }
    }
}

extension ModelDescription: Codable {
    /// The keys of a `realtime` model lie at the top, as in format 1; those of the other under `reference`.
    private enum Key: String, CodingKey {
        case method, profile, architecture, normalisation, diffusion, reference, residual, calibration,
            calibrations, preferredPrecision, causes, training, learntFrom
        case ranges = "byteRanges"
    }

    /// Reads the metadata; the settings' ranges are not checked here (see `fault`).
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let name = try values.decode(String.self, forKey: .profile)
        let profile: Profile
        switch name {
        case "realtime":
            profile = .realtime(
                RealtimeSettings(
                    architecture: try values.decode(RealtimeUNet.Architecture.self, forKey: .architecture),
                    normalisation: try values.decode(Normalisation.self, forKey: .normalisation),
                    diffusion: try values.decode(PatchedDiffusion.self, forKey: .diffusion)
                )
            )
        case "reference":
            profile = .reference(try values.decode(ReferenceSettings.self, forKey: .reference))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .profile,
                in: values,
                debugDescription: "the profile '\(name)' is neither realtime nor reference"
            )
        }
        self.init(
            method: try values.decode(Method.self, forKey: .method),
            profile: profile,
            residual: try values.decode(Residual.self, forKey: .residual),
            training: try values.decode(Provenance.self, forKey: .training)
        )
        func named(_ key: Key) throws -> [Precision: Calibration] {
            let found = try values.decodeIfPresent([String: Calibration].self, forKey: key) ?? [:]
            // A precision of a later version is none of ours.
            let known = found.compactMap { name, value in Precision(rawValue: name).map { ($0, value) } }
            return Dictionary(uniqueKeysWithValues: known)
        }
        calibrations = try named(.calibrations)
        preferredPrecision = try values.decodeIfPresent(String.self, forKey: .preferredPrecision)
            .flatMap(Precision.init(rawValue:))
        calibration = try values.decodeIfPresent(Calibration.self, forKey: .calibration)
        causes = try values.decodeIfPresent(CauseModel.self, forKey: .causes)
        learntFrom = try values.decodeIfPresent(RunOrigin.self, forKey: .learntFrom)
        ranges = try values.decodeIfPresent([ClosedRange<Float>].self, forKey: .ranges)
    }

    /// Writes the metadata.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(method, forKey: .method)
        try values.encode(profile.name, forKey: .profile)
        switch profile {
        case .realtime(let settings):
            try values.encode(settings.architecture, forKey: .architecture)
            try values.encode(settings.normalisation, forKey: .normalisation)
            try values.encode(settings.diffusion, forKey: .diffusion)
        case .reference(let settings): try values.encode(settings, forKey: .reference)
        }
        try values.encode(residual, forKey: .residual)
        try values.encodeIfPresent(calibration, forKey: .calibration)
        func encode(_ calibrations: [Precision: Calibration], _ key: Key) throws {
            guard !calibrations.isEmpty else { return }
            let named = calibrations.map { ($0.key.rawValue, $0.value) }
            try values.encode(Dictionary(uniqueKeysWithValues: named), forKey: key)
        }
        try encode(calibrations.filter { $0.key != .float32 }, .calibrations)
        try values.encodeIfPresent(preferredPrecision?.rawValue, forKey: .preferredPrecision)
        try values.encodeIfPresent(causes, forKey: .causes)
        try values.encodeIfPresent(ranges, forKey: .ranges)
        try values.encode(training, forKey: .training)
        try values.encodeIfPresent(learntFrom, forKey: .learntFrom)
    }
}
