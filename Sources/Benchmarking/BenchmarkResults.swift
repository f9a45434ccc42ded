package import Evaluation
package import Verdict

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
    /// What was left out, with the reason, one sentence each.
    package var leftOut: [String]
}

/// What a benchmark found of one method.
package struct MethodResult: Sendable, Equatable, Codable {
    /// The method's name.
    package var name: String
    /// Method and size in one line.
    package var summary: String
    /// The fingerprint under which results are stored.
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

/// One number that the benchmark gives, and what it is of.
package struct Figure: Sendable, Equatable, Codable {
    /// What the number is of.
    package var key: Key
    /// The number; `nil` where it is not defined, for example the AUC of a list without faulty frames.
    package var value: Double?

    /// What a number is of.
    package struct Key: Sendable, Hashable, Codable {
        /// Whole frames or their pixels.
        package var level: Level
        /// Which image score decides; `nil` for pixels.
        package var score: ScoreKind?
        /// The class of fault; `nil` for all together.
        package var fault: String?
        /// Which number.
        package var name: Name

        init(_ level: Level, _ name: Name, score: ScoreKind? = nil, fault: String? = nil) {
            (self.level, self.name, self.score, self.fault) = (level, name, score, fault)
        }
    }

    /// Whole frames or their pixels.
    package enum Level: String, Sendable, Codable {
        /// One score and one label a frame.
        case image
        /// One score and one label a pixel.
        case pixel
    }

    /// Which number.
    package enum Name: String, Sendable, Codable, CaseIterable {
        /// The limit found on the fold's validation list: a score above it is faulty.
        case threshold
        /// Accuracy (images) or Dice (pixels) that the threshold has on the validation list.
        case validationFigure = "validation-figure"
        /// Share of test frames on the right side of the threshold.
        case accuracy
        /// Area under the ROC curve; by class of fault, of that class against the normal frames.
        case auc
        /// Area under the precision-recall curve, as steps.
        case auprc
        /// Share of a class's frames above the threshold.
        case detectionRate = "detection-rate"
        /// Dice of the pixels above the threshold, small components of at most 7 pixels removed, all test frames
        /// together.
        case dice
        /// The same with the small components.
        case diceUnfiltered = "dice-unfiltered"
        /// The largest Dice that any threshold has on the test list.
        case bestDice = "best-dice"
        /// Hausdorff distance in pixels, mean over the faulty frames whose mask and truth both have pixels.
        case hausdorff
        /// Share of the faulty frames for which that distance is defined.
        case hausdorffDefined = "hausdorff-defined"
    }

    init(_ key: Key, _ value: Double?) { (self.key, self.value) = (key, value) }
}
