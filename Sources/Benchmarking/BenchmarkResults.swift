package import Evaluation
import Verdict

/// Everything that a benchmark found; `results.json` is this value, keys sorted.
///
/// `methods[].folds[].figures[]` has each number with its key (`level`, `score`, `fault`, `name`);
/// `methods[].figures[]` has its mean and spread over the folds. A `value`, `mean` or `spread` that is absent
/// is not defined.
package struct BenchmarkResults: Sendable, Equatable, Codable {
    /// Version of this layout.
    package var format = 1
    /// The folder that frames are relative to.
    package var data: String
    /// The folder of the lists.
    package var splits: String
    /// One entry a method, in the order they ran.
    package var methods: [MethodResult]
    /// What was left out and why, one sentence each.
    package var leftOut: [String]
}

/// What a benchmark found of one method.
package struct MethodResult: Sendable, Equatable, Codable {
    /// The method's name.
    package var name: String
    /// What it is and how large.
    package var summary: String
    /// What the kept results are known by.
    package var fingerprint: String
    /// Passes of a network for a frame of the most common size; 0 for a method without one.
    package var passesPerFrame: Int
    /// Frames per second on this machine: one over the median time of a frame.
    package var framesPerSecond: Double?
    /// One entry a fold.
    package var folds: [FoldResult]
    /// Mean and spread of every figure over the folds.
    package var figures: [FigureSummary]
}

/// A figure over the folds.
package struct FigureSummary: Sendable, Equatable, Codable {
    /// What the number is of.
    package var key: Figure.Key
    /// Mean over the folds where it is defined.
    package var mean: Double?
    /// Standard deviation over these folds (n - 1); absent for fewer than two.
    package var spread: Double?
    /// Number of folds where it is defined.
    package var folds: Int

    /// Gathers each figure from all folds, in the order of the first fold that has it.
    static func all(of folds: [FoldResult]) -> [FigureSummary] {
        var order: [Figure.Key] = []
        var values: [Figure.Key: [Double]] = [:]
        for figure in folds.flatMap(\.figures) {
            if values[figure.key] == nil { order.append(figure.key) }
            values[figure.key, default: []] += figure.value.map { [$0] } ?? []
        }
        return order.map { FigureSummary(key: $0, values: values[$0] ?? []) }
    }

    private init(key: Figure.Key, values: [Double]) {
        self.key = key
        folds = values.count
        guard !values.isEmpty else { return }
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        guard values.count > 1 else { return }
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        spread = (squares / Double(values.count - 1)).squareRoot()
    }
}

/// What a benchmark found of one method on one fold.
package struct FoldResult: Sendable, Equatable, Codable {
    /// The fold's number.
    package var number: Int
    /// How many frames it has.
    package var counts: Counts
    /// All numbers.
    package var figures: [Figure]
    /// The scores of the test frames.
    package var test: [ScoredFrame]
    /// ROC and precision-recall curve of the test pixels; empty for a method without maps.
    package var pixelCurve: [OperatingPoint]
    /// Median time of a frame, in seconds.
    package var secondsPerFrame: Double?
    /// What was left out of this fold for this method.
    package var leftOut: [String]

    /// Numbers of frames that were counted.
    package struct Counts: Sendable, Equatable, Codable {
        /// Normal frames of the validation list.
        package var validationNormal: Int
        /// Faulty frames of the validation list.
        package var validationFaulty: Int
        /// Normal frames of the test list.
        package var testNormal: Int
        /// Faulty frames of the test list.
        package var testFaulty: Int
        /// Frames of the test list whose pixels are counted.
        package var testWithTruth: Int
    }

    /// A test frame with its scores.
    package struct ScoredFrame: Sendable, Equatable, Codable {
        /// Path of the frame.
        package var image: String
        /// Whether it is faulty.
        package var isFaulty: Bool
        /// The class of its fault.
        package var fault: String?
        /// Largest pixel of the map.
        package var maximum: Double
        /// Mean of the map.
        package var mean: Double
        /// Largest mean of a window of 16 x 16.
        package var patch: Double

        func score(_ kind: ScoreKind) -> Double {
            switch kind {
            case .maximum: maximum
            case .mean: mean
            case .patch: patch
            }
        }
    }
}
