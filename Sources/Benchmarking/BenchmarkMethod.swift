package import Detection
import Diffusion
import Digests
package import Foundation
package import Plate
package import Tensors
package import Training
import Verdict

/// A way of judging frames that the benchmark can compare; a new one is added by writing one type.
///
/// The benchmark calls `fingerprint`, then, unless everything of it is kept from an earlier run, `prepare`
/// once and `assess` for each frame of the folds. Thresholds, figures, tables and pictures come from what
/// `assess` returns.
package protocol BenchmarkMethod {
    /// A short name, unique in a run: rows of tables and names of files have it.
    var name: String { get }

    /// The method and its size in one line; available after `fingerprint` was called.
    var summary: String { get }

    /// Changes whenever the method would give other assessments; what was kept under another one is computed
    /// again.
    func fingerprint(_ context: MethodContext) throws -> String

    mutating func prepare(_ context: MethodContext) throws

    /// Hears of the first frame of a list before the frames of the list come.
    ///
    /// Returns what of it assessments depend on, in a few characters; empty where they depend on the frame alone.
    mutating func begin(listWith first: Frame) -> String

    /// Judges a frame of any size; `report` hears how many of its passes are done.
    func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) throws -> Assessment

    /// Passes of a network that a frame of this size takes; 0 for a method without one.
    func passesPerFrame(height: Int, width: Int) -> Int
}

extension BenchmarkMethod {
    /// Assessments depend on the frame alone.
    package mutating func begin(listWith first: Frame) -> String { "" }
}

/// What a method may use besides the frames that it judges.
package struct MethodContext {
    /// The normal frames for training, `normal_train.csv`.
    package let normal: [FramePaths.Labelled]
    /// The normal frames for choosing the best checkpoint, `normal_val.csv`.
    package let validation: [FramePaths.Labelled]
    /// A folder of the method's own that is kept between runs, and that a user may delete.
    package let folder: URL
    /// Hears how far the preparation is; throws `CancellationError` when it should stop.
    package let report: (_ done: Int, _ all: Int) throws -> Void
    /// Says in a sentence that something is left out, while the rest goes on.
    package let note: (String) throws -> Void
}

/// A method's assessment of a frame.
package struct Assessment: Sendable, Equatable {
    /// The three image scores, higher being more faulty; finite.
    package var scores: ImageScores
    /// Fault score of each pixel, finite and at least 0; `nil` for a method that judges whole frames only.
    package var map: ScoreMap?
    /// The frame as the method sees it, grey values on the scale of [0, 1]; for pictures.
    package var input: [Float]?
    /// What the method makes of it, on the same scale; for pictures.
    package var reconstruction: [Float]?

    /// An assessment by a score map, median-filtered: the image scores are taken from it.
    package init(map: ScoreMap, input: [Float]? = nil, reconstruction: [Float]? = nil) {
        self.scores = ImageScores(map: map)
        self.map = map
        self.input = input
        self.reconstruction = reconstruction
    }

    /// An assessment by a single number, which stands for all three image scores.
    package init(score: Double) {
        scores = ImageScores(maximum: score, mean: score, patch: score)
    }

    /// Why the assessment cannot be counted, in words; `nil` if it can.
    func fault(height: Int, width: Int) -> String? {
        guard ScoreKind.allCases.allSatisfy({ $0.value(of: scores).isFinite }) else {
            return "gives a score that is not a number"
        }
        guard let map else { return nil }
        guard map.height == height, map.width == width else {
            return "gives a map of \(map.width) x \(map.height) for a frame of \(width) x \(height)"
        }
        guard map.values.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            return "gives a map with values that are not numbers of at least 0"
        }
        return nil
    }
}

/// A model file of a folder, and its name without the ending.
private struct ModelFile {
    static let ending = ".safetensors"
    let path: String
    let name: String

    static func all(in folder: String) -> [ModelFile] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }.sorted()
            .map { ModelFile(path: "\(folder)/\($0)", name: String($0.dropLast(ending.count))) }
    }
}

/// Any trained model as a method of the benchmark.
package struct ModelMethod: BenchmarkMethod {
    /// The name of the model file without its ending.
    package let name: String
    /// Method, profile, size and training.
    package let summary: String
    private let identity: String
    private let scorer: FrameScorer
    /// The settings of a model that is used as the published evaluation uses it; absent otherwise.
    private let published: ReferenceSettings?
    private var range: ClosedRange<Float>?

    /// Reads a model file; a damaged one is refused in words.
    ///
    /// Without a precision, the model's automatic one. As `published`, a model of the `reference` profile is used as the published
    /// evaluation uses it: each frame is scaled by the range of the first one of its list, each window has noise of its own in half
    /// precision, and the residual is the absolute difference.
    package init(
        path: String,
        name: String,
        precision: Precision? = nil,
        published: Bool = false
    ) throws(ModelError) {
        var (model, identity) = try Model.read(path: path)
        guard !published || model.description.reference != nil else {
            throw ModelError(
                code: .unfitSettings,
                path: path,
                detail: "is of the realtime profile, which the published benchmark does not have"
            )
        }
        if published { model.description.residual = .l1 }
        self.published = published ? model.description.reference : nil
        let precision = precision ?? model.description.automaticPrecision
        self.name = name
        self.identity =
            (precision == .float32 ? identity : "\(identity)-\(precision.rawValue)")
            + (published ? "-published" : "")
        scorer = try FrameScorer(model: model, path: path, precision: precision)
        summary = Self.summary(of: model) + (precision == .float32 ? "" : ", in \(precision.rawValue)")
    }

    /// Every model file of a folder, by name, and a sentence for each that is refused.
    ///
    /// Throws if the folder cannot be read or has no model file.
    package static func all(
        in folder: String,
        precision: Precision? = nil,
        published: Bool = false
    ) throws(BenchmarkError) -> (methods: [ModelMethod], problems: [String]) {
        let files = ModelFile.all(in: folder)
        guard !files.isEmpty else {
            throw BenchmarkError(
                "\(folder): no model NAME\(ModelFile.ending) there; give the folder of the trained models"
            )
        }
        var methods: [ModelMethod] = []
        var problems: [String] = []
        for file in files {
            do {
                let method = try ModelMethod(
                    path: file.path,
                    name: file.name,
                    precision: precision,
                    published: published
                )
                methods.append(method)
            } catch { problems.append("\(error); the method is left out") }
        }
        return (methods, problems)
    }

    /// The first digits of the file's SHA-256.
    package func fingerprint(_ context: MethodContext) -> String { identity }

    /// Nothing is to be done: the model is trained.
    package func prepare(_ context: MethodContext) {}

    /// The grey range of the first frame, which scales all frames of a list in the published evaluation.
    package mutating func begin(listWith first: Frame) -> String {
        guard let published else { return "" }
        let range = published.greyRange(of: first)
        self.range = range
        return "\(range.lowerBound)...\(range.upperBound)"
    }

    /// Reconstructs the frame and compares.
    package func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) -> Assessment {
        var variant = ReferenceVariant()
        variant.range = range
        (variant.halvesNoise, variant.drawsNoisePerWindow) = (published != nil, published != nil)
        variant.samplesLatent = published?.network.sampledLatent != nil
        let reconstruction = scorer.reconstruction(of: frame, variant: variant) { report($0.done, $0.all) }
        return Assessment(
            map: scorer.map(of: reconstruction),
            input: reconstruction.input,
            reconstruction: reconstruction.output
        )
    }

    /// Passes over the frame (`realtime`) or over its windows (`reference`).
    package func passesPerFrame(height: Int, width: Int) -> Int {
        scorer.passesPerFrame(height: height, width: width)
    }

    private static func summary(of model: Model) -> String {
        let description = model.description
        let parameters = model.weights.values.reduce(0) { $0 + $1.count }
        let window = description.reference.map { ", windows of \($0.window) at overlap \($0.overlap)" } ?? ""
        return
            "\(description.method.rawValue), \(description.profile.name)\(window), \(parameters) parameters, "
            + "\(description.training.steps) steps on \(description.training.frames) frames"
    }
}

/// A `realtime` model as the daemon judges with it: severity from the tiles and the score map together.
///
/// It is calibrated on the normal frames of the benchmark, as `autoqc calibrate` would; no label is used. The
/// severity stands for all three image scores.
package final class DetectorMethod: BenchmarkMethod {
    /// The model's name and `+normal`.
    package let name: String
    /// The model's own summary, and the number of frames that it was calibrated on.
    package private(set) var summary: String
    private let identity: String
    private let model: Model
    private let path: String
    private let precision: Precision
    private let scorer: FrameScorer
    private var calibration: Calibration?
    /// Changes when judging does.
    private static let version = "3"
    /// More normal frames than these are not needed.
    private static let mostFrames = 400

    /// Reads a model file; `nil` for one of the `reference` profile.
    ///
    /// Without a precision, the model's automatic one.
    package init?(path: String, name: String, precision: Precision? = nil) throws(ModelError) {
        let (model, identity) = try Model.read(path: path)
        guard model.description.realtime != nil else { return nil }
        self.precision = precision ?? model.description.automaticPrecision
        self.name = name + "+normal"
        self.identity = identity
        (self.model, self.path) = (model, path)
        scorer = try FrameScorer(model: model, path: path, precision: self.precision)
        summary = "\(name) with a model of normal tiles"
    }

    /// Every `realtime` model of a folder; what is refused, `ModelMethod.all` says.
    package static func all(in folder: String, precision: Precision? = nil) -> [DetectorMethod] {
        ModelFile.all(in: folder).compactMap {
            try? DetectorMethod(path: $0.path, name: $0.name, precision: precision)
        }
    }

    /// The model's file and the normal frames' content.
    package func fingerprint(_ context: MethodContext) -> String {
        let paths = Self.chosen(context)
        let lines = paths.map { path in
            FileManager.default.contents(atPath: path).map { Digest.sha256($0) } ?? path
        }
        let all = [Self.version, identity, precision.rawValue] + lines
        return Digest.sha256(Data(all.joined(separator: "\n").utf8))
    }

    /// Calibrates on the normal frames.
    package func prepare(_ context: MethodContext) throws {
        let frames = try FrameSet(paths: Self.chosen(context))
        var options = Calibrator.Options()
        options.classifier = model.description.classifier
        let calibrator = try Calibrator(
            model: model,
            path: path,
            options: options,
            precision: precision
        )
        var failure: (any Error)?
        calibration = try calibrator.labelFree(
            frames,
            report: { _, done, all in
                do { try context.report(done, all) } catch { failure = error }
            }
        ).calibration
        if let failure { throw failure }
        summary += ", calibrated on \(frames.count) normal frames"
    }

    /// Judges as the daemon does; the map is the one that masks are taken of.
    package func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) throws -> Assessment {
        guard let calibration else { preconditionFailure("\(name): assessed before it was prepared") }
        let reconstruction = scorer.reconstruction(of: frame) { report($0.done, $0.all) }
        let map = scorer.map(of: reconstruction)
        var assessment = Assessment(score: calibration.severity(of: frame, map: map))
        assessment.map = calibration.maskMap(of: frame, map: map)
        (assessment.input, assessment.reconstruction) = (reconstruction.input, reconstruction.output)
        return assessment
    }

    /// Passes over the frame.
    package func passesPerFrame(height: Int, width: Int) -> Int {
        scorer.passesPerFrame(height: height, width: width)
    }

    /// Evenly spread over the list.
    private static func chosen(_ context: MethodContext) -> [String] {
        let paths = context.normal.map(\.image)
        guard paths.count > mostFrames else { return paths }
        return (0..<mostFrames).map { paths[$0 * paths.count / mostFrames] }
    }
}
