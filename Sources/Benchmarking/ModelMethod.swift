package import Detection
import Diffusion
import Foundation
package import Plate
package import Tensors

/// Any trained model as a method of the benchmark.
package struct ModelMethod: BenchmarkMethod {
    /// The name of the model file without its ending.
    package let name: String
    /// Method, profile, size and training.
    package let summary: String
    private let identity: String
    private let scorer: FrameScorer

    /// Reads a model file; a damaged one is refused in words.
    ///
    /// Without a precision, the model's automatic one.
    package init(path: String, name: String, precision: Precision? = nil) throws(ModelError) {
        let (model, identity) = try Model.read(path: path)
        let precision = precision ?? model.description.automaticPrecision
        self.name = name
        self.identity = precision == .float32 ? identity : "\(identity)-\(precision.rawValue)"
        scorer = try FrameScorer(model: model, path: path, precision: precision)
        summary = Self.summary(of: model) + (precision == .float32 ? "" : ", in \(precision.rawValue)")
    }

    /// Every model file of a folder, by name, and a sentence for each that is refused.
    ///
    /// Throws if the folder cannot be read or has no model file.
    package static func all(in folder: String, precision: Precision? = nil) throws(BenchmarkError) -> (
        methods: [ModelMethod], problems: [String]
    ) {
        let ending = ".safetensors"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }.sorted()
        guard !names.isEmpty else {
            throw BenchmarkError(
                "\(folder): no model NAME\(ending) there; give the folder of the trained models"
            )
        }
        var methods: [ModelMethod] = []
        var problems: [String] = []
        for name in names {
            do {
                let model = try ModelMethod(
                    path: "\(folder)/\(name)",
                    name: String(name.dropLast(ending.count)),
                    precision: precision
                )
                methods.append(model)
            } catch { problems.append("\(error); the method is left out") }
        }
        return (methods, problems)
    }

    /// The first digits of the file's SHA-256.
    package func fingerprint(_ context: MethodContext) -> String { identity }

    /// Nothing is to be done: the model is trained.
    package func prepare(_ context: MethodContext) {}

    /// Reconstructs the frame and compares.
    package func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) -> Assessment {
        let reconstruction = scorer.reconstruction(of: frame) { report($0.done, $0.all) }
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
