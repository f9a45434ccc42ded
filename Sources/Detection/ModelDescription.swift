package import Diffusion
import Networks
package import Plate
package import Tensors
package import Verdict

/// Everything about a model but its weights; the metadata of a model file.
package struct ModelDescription: Sendable, Equatable {
    /// How frames are reconstructed.
    package var method: Method
    /// Which network and which way over the frame, with their settings.
    package var profile: Profile
    /// How input and reconstruction are compared.
    package var residual: Residual
    /// Thresholds and how they were found, at each precision that they were found at.
    ///
    /// None until calibrated, and none in a file whose thresholds this version cannot read.
    package var calibrations: [Precision: Calibration] = [:]
    /// The precision that `auto` takes, once a benchmark has shown that it loses nothing.
    package var preferredPrecision: Precision?
    /// The ranges inside the folded network over normal frames, which int8 needs (`RealtimeUNet.ranges`);
    /// absent until the model is quantised.
    package var ranges: [ClosedRange<Float>]?
    /// What tells the cause of a fault; absent until it was fitted to faulty frames of known causes.
    package var causes: CauseModel?
    /// What known faults look like on any microscope; calibrations hold it adapted to theirs.
    ///
    /// Absent where none were given.
    package var classifier: TileClassifier?
    /// Where the weights come from.
    package var training: Provenance
    /// The wells and times of the frames that it was calibrated on; `nil` where their names do not tell.
    package var coverage: Coverage?
    /// The files of the frames that it was calibrated on, as far as they are noted.
    package var calibrationFiles: FilesDigest?
    /// The run on whose first frames it was calibrated (`RunDetector`); absent from every other model.
    package var calibratedOn: RunOrigin?
    /// What people say of it; absent where nobody has said anything.
    package var about: ModelAbout?

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
        /// Rows of the frames that it was trained or last calibrated on.
        package var frameHeight: Int?
        /// Columns of those frames.
        package var frameWidth: Int?
        /// The files of the frames that it was trained on, as far as they are noted.
        package var files: FilesDigest?

        /// Gathers the facts.
        package init(command: String, steps: Int, seed: UInt64, frames: Int, validationLoss: Float?) {
            self.command = command
            self.steps = steps
            self.seed = seed
            self.frames = frames
            self.validationLoss = validationLoss
        }
    }

    /// The wells and times that a calibration has seen.
    package struct Coverage: Sendable, Equatable, Codable {
        /// Number of wells, over all runs.
        package let wells: Int
        /// Number of the earliest frame.
        package let first: Int
        /// Number of the latest frame.
        package let last: Int

        /// Of frames with names; `nil` for none.
        package init?(_ frames: [FrameID]) {
            guard let first = frames.map(\.index).min(), let last = frames.map(\.index).max() else {
                return nil
            }
            (self.first, self.last) = (first, last)
            wells = Set(frames.map { [$0.run, $0.well.description] }).count
        }

        /// The coverage in words.
        package var words: String {
            let times = first == last ? "frame \(first)" : "frames \(first) to \(last)"
            return "\(times) of \(wells) \(wells == 1 ? "well" : "wells")"
        }
    }

    /// The run on which a model was calibrated.
    package struct RunOrigin: Sendable, Equatable, Codable {
        /// Name of the model whose calibration the run's replaced.
        package var model: String
        /// The run.
        package var run: String
        /// Frames that it was calibrated on.
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
    private enum Key: String, CodingKey {
        case method, realtime, reference, residual, calibrations, preferredPrecision, causes, classifier,
            training, calibratedOn, coverage, calibrationFiles, about
        case ranges = "byteRanges"
    }

    /// Reads the metadata; the settings' ranges are not checked here (see `fault`).
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let profile: Profile
        if let settings = try values.decodeIfPresent(RealtimeSettings.self, forKey: .realtime) {
            profile = .realtime(settings)
        } else {
            profile = .reference(try values.decode(ReferenceSettings.self, forKey: .reference))
        }
        self.init(
            method: try values.decode(Method.self, forKey: .method),
            profile: profile,
            residual: try values.decode(Residual.self, forKey: .residual),
            training: try values.decode(Provenance.self, forKey: .training)
        )
        // The weights of a model that another version calibrated are as good as ever: it is calibrated again.
        calibrations = (try? values.decode([Precision: Calibration].self, forKey: .calibrations)) ?? [:]
        preferredPrecision = try values.decodeIfPresent(Precision.self, forKey: .preferredPrecision)
        causes = try values.decodeIfPresent(CauseModel.self, forKey: .causes)
        classifier = try values.decodeIfPresent(TileClassifier.self, forKey: .classifier)
        coverage = try values.decodeIfPresent(Coverage.self, forKey: .coverage)
        calibratedOn = try values.decodeIfPresent(RunOrigin.self, forKey: .calibratedOn)
        calibrationFiles = try values.decodeIfPresent(FilesDigest.self, forKey: .calibrationFiles)
        about = try values.decodeIfPresent(ModelAbout.self, forKey: .about)
        ranges = try values.decodeIfPresent([ClosedRange<Float>].self, forKey: .ranges)
    }

    /// Writes the metadata; the settings of the profile lie under its name.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(method, forKey: .method)
        switch profile {
        case .realtime(let settings): try values.encode(settings, forKey: .realtime)
        case .reference(let settings): try values.encode(settings, forKey: .reference)
        }
        try values.encode(residual, forKey: .residual)
        try values.encode(calibrations, forKey: .calibrations)
        try values.encodeIfPresent(preferredPrecision, forKey: .preferredPrecision)
        try values.encodeIfPresent(causes, forKey: .causes)
        try values.encodeIfPresent(classifier, forKey: .classifier)
        try values.encodeIfPresent(ranges, forKey: .ranges)
        try values.encode(training, forKey: .training)
        try values.encodeIfPresent(coverage, forKey: .coverage)
        try values.encodeIfPresent(calibratedOn, forKey: .calibratedOn)
        try values.encodeIfPresent(calibrationFiles, forKey: .calibrationFiles)
        try values.encodeIfPresent(about, forKey: .about)
    }
}

/// Why a model file was refused or could not be written.
package struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal.
    package enum Code: Sendable, Equatable {
        /// The file is not there, not readable, cut or damaged.
        case unreadable
        /// A safetensors file, but not a model of this program.
        case notAModel
        /// Written by another version of the format.
        case unknownVersion
        /// The content is not what was written.
        case altered
        /// The weights do not fit the architecture that the file names.
        case unfitWeights
        /// The settings that the file names cannot be built.
        case unfitSettings
        /// The precision asked for cannot be had with this model or on this CPU.
        case unfitPrecision
        /// The model has no thresholds, or those of another version.
        case notCalibrated
        /// Not of the `realtime` profile, and so too slow to keep up with a plate.
        case notRealtime
        /// The file could not be written.
        case cannotWrite
    }

    /// What kind of refusal.
    package let code: Code
    /// The model file.
    package let path: String
    /// What is wrong and what to do.
    package let detail: String

    /// Names the refusal.
    package init(code: Code, path: String, detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// A sentence that names file, fault and remedy.
    package var description: String { "model \(path): \(detail)" }
}
