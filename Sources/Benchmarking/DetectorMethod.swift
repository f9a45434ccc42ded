package import Detection
import Diffusion
import Foundation
package import Plate
package import Tensors
import Training
import Verdict

/// A `realtime` model as the daemon judges with it: what its normal model says of tiles and score map together.
///
/// It learns what is normal from the normal frames of the benchmark, as `autoqc calibrate` would; no label is used. The
/// severity stands for all three image scores.
package final class DetectorMethod: BenchmarkMethod {
    /// The model's name and `+normal`.
    package let name: String
    /// The model's own, and from how many frames it learnt what is normal.
    package private(set) var summary: String
    private let identity: String
    private let model: Model
    private let path: String
    private let precision: Precision
    private let scorer: FrameScorer
    private var calibration: Calibration?
    /// Changes when judging does.
    private static let version = "2"
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
        let ending = ".safetensors"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }.sorted()
            .compactMap { file in
                try? DetectorMethod(
                    path: "\(folder)/\(file)",
                    name: String(file.dropLast(ending.count)),
                    precision: precision
                )
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

    /// Learns what is normal.
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
            report: { done, all in
                do { try context.report(done, all) } catch { failure = error }
            }
        )
        if let failure { throw failure }
        summary += ", learnt from \(frames.count) normal frames"
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
