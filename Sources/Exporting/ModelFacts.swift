package import Detection
import Foundation
import Tables
import Tensors
import Verdict

/// What a model file says of itself: for people as lines or as a card, for machines as JSON.
package struct ModelFacts: Sendable, Encodable {
    /// The model's name in every record: the first twelve digits of `sha256`.
    package let model: String
    /// The digest of the file.
    package let sha256: String
    /// Bytes of the file.
    package let bytes: Int
    /// What people say of it.
    package let about: ModelAbout?
    private let profile, settings: String
    private let parameters: Int
    private let preferredPrecision: String?
    private let training: ModelDescription.Provenance
    private let calibrations: [Calibrated]
    private let coverage: ModelDescription.Coverage?
    private let calibrationFiles: FilesDigest?
    private let calibratedOn: ModelDescription.RunOrigin?

    /// A calibration at one precision.
    private struct Calibrated: Encodable {
        let precision: String
        /// The severity above which a frame is faulty.
        let threshold: Double
        /// Share of normal frames that may be called faulty; of a threshold from normal frames.
        let falseAlarmRate: Double?
        let frames: Int?
    }

    /// Gathers the facts of a model that was read from a file of these bytes.
    package init(_ model: Model, sha256: String, bytes: Int) {
        let description = model.description
        (self.sha256, self.bytes, about) = (sha256, bytes, description.about)
        self.model = String(sha256.prefix(12))
        (profile, settings) = (description.profile.name, description.words)
        parameters = model.weights.values.reduce(0) { $0 + $1.count }
        preferredPrecision = description.preferredPrecision?.rawValue
        training = description.training
        (coverage, calibrationFiles) = (description.coverage, description.calibrationFiles)
        calibratedOn = description.calibratedOn
        calibrations = description.calibrations.sorted { $0.key.rawValue < $1.key.rawValue }.map { entry in
            let threshold = entry.value.limits.threshold
            var frames: Int?
            if case .conformal(let found) = threshold.origin { frames = found.frameCount }
            return Calibrated(
                precision: entry.key.rawValue,
                threshold: threshold.value,
                falseAlarmRate: threshold.falseAlarmRate,
                frames: frames
            )
        }
    }

    /// A line for each fact, the names in a column.
    package var lines: [String] {
        let facts = all
        let width = (facts.map(\.name.count).max() ?? 0) + 2
        return facts.map { $0.name.padding(toLength: width, withPad: " ", startingAt: 0) + $0.value }
    }

    /// The same as a page in Markdown.
    package var card: String {
        let rows = all.filter { $0.name != "name" }.map { name, value in
            "| \(name) | \(value.replacing("|", with: "\\|")) |\n"
        }.joined()
        return "# \(about?.name ?? model)\n\n| | |\n|---|---|\n\(rows)"
    }

    private var all: [(name: String, value: String)] {
        var facts: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) {
            if let value { facts.append((name, value)) }
        }
        add("name", about?.name)
        add("licence", about?.licence)
        add("authors", about.flatMap { $0.authors.isEmpty ? nil : $0.authors.joined(separator: ", ") })
        add("microscope", about?.microscope)
        add("objective", about?.objective)
        add("pixel size", about?.pixelSize.map { "\($0) um" })
        add("model", model)
        add("SHA-256", sha256)
        add("size", "\(bytes) bytes")
        add("profile", profile)
        add("method", settings)
        add("parameters", "\(parameters)")
        add("trained", trained)
        add("training files", training.files.map(Self.words))
        add("frames", frameSize)
        for line in calibrated { add("calibrated", line) }
        add("preferred precision", preferredPrecision)
        add("coverage", coverage?.words)
        add("calibration files", calibrationFiles.map(Self.words))
        add("calibrated on run", calibratedOn.map { "\($0.run), \($0.frames) frames, before as \($0.model)" })
        return facts
    }

    private var trained: String {
        let loss = training.validationLoss.map { ", validation loss \($0.digits(4))" } ?? ""
        guard training.steps > 0 else { return training.command }
        return
            "\(training.command); \(training.steps) steps on \(training.frames) frames, seed \(training.seed)\(loss)"
    }

    private var frameSize: String? {
        guard let width = training.frameWidth, let height = training.frameHeight else { return nil }
        return "\(width) x \(height)"
    }

    private var calibrated: [String] {
        guard !calibrations.isEmpty else { return ["no; `autoqc calibrate` finds thresholds"] }
        return calibrations.map { calibration in
            let begin = "\(calibration.precision): faulty above severity \(calibration.threshold.digits(2))"
            guard let rate = calibration.falseAlarmRate, let frames = calibration.frames else {
                return begin + ", by labelled frames"
            }
            return begin + ", by \(frames) normal frames for a rate of false alarms of \(rate)"
        }
    }

    private static func words(_ files: FilesDigest) -> String {
        "\(files.files) \(files.files == 1 ? "file" : "files"), SHA-256 \(files.sha256)"
    }
}
