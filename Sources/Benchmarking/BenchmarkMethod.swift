package import Foundation
package import Plate
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

    /// What the method is and how large, in one line; known once the fingerprint was asked for.
    var summary: String { get }

    /// Changes whenever the method would give other assessments; what was kept under another one is computed
    /// again.
    func fingerprint(_ context: MethodContext) throws -> String

    /// Learns or loads what the method needs.
    mutating func prepare(_ context: MethodContext) throws

    /// Judges a frame of any size; `report` hears how many of its passes are done.
    func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) throws -> Assessment

    /// Passes of a network that a frame of this size takes; 0 for a method without one.
    func passesPerFrame(height: Int, width: Int) -> Int
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

/// What a method says of a frame.
package struct Assessment: Sendable, Equatable {
    /// The three image scores, higher being more faulty; finite.
    package var scores: ImageScores
    /// How faulty each pixel is, finite and at least 0; `nil` for a method that judges whole frames only.
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
