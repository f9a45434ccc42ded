import Evaluation
import Plate
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
    var methods: [MethodResult]
    /// What was left out, with the reason, one sentence each.
    package var leftOut: [String]
}

struct MethodResult: Sendable, Equatable, Codable {
    var name: String
    /// Method and size in one line.
    var summary: String
    /// What its results are stored under.
    var fingerprint: String
    /// Passes of a network for a frame of the most common size; 0 for a method without one.
    var passesPerFrame: Int
    /// Frames per second on this machine: one over the median time of a frame.
    var framesPerSecond: Double?
    var folds: [FoldResult]
    var figures: [FigureSummary]
}

struct FigureSummary: Sendable, Equatable, Codable {
    var key: Figure.Key
    var mean: Double?
    /// Standard deviation over these folds (n - 1); absent for fewer than two.
    var spread: Double?
    var folds: Int

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

struct FoldResult: Sendable, Equatable, Codable {
    var number: Int
    /// What the assessments of its test frames are stored under.
    var assessments: String
    var counts: Counts
    var figures: [Figure]
    var test: [ScoredFrame]
    /// ROC and precision-recall curve of the test pixels; empty for a method without maps.
    var pixelCurve: [OperatingPoint]
    var secondsPerFrame: Double?
    /// What was left out of this fold for this method.
    var leftOut: [String]

    struct Counts: Sendable, Equatable, Codable {
        var validationNormal, validationFaulty, testNormal, testFaulty: Int
        /// Frames of the test list whose pixels are counted.
        var testWithTruth: Int
    }

    struct ScoredFrame: Sendable, Equatable, Codable {
        var image: String
        var isFaulty: Bool
        var fault: String?
        var maximum: Double
        var mean: Double
        /// Largest mean of a window of 16 x 16.
        var patch: Double

        func score(_ kind: ScoreKind) -> Double {
            kind.value(of: ImageScores(maximum: maximum, mean: mean, patch: patch))
        }
    }
}

/// One number that the benchmark gives, and what it is of.
struct Figure: Sendable, Equatable, Codable {
    var key: Key
    /// The number; `nil` where it is not defined, for example the AUC of a list without faulty frames.
    var value: Double?

    struct Key: Sendable, Hashable, Codable {
        var level: Level
        /// Which image score decides; `nil` for pixels.
        var score: ScoreKind?
        /// The class of fault; `nil` for all together.
        var fault: String?
        var name: Name

        init(_ level: Level, _ name: Name, score: ScoreKind? = nil, fault: String? = nil) {
            (self.level, self.name, self.score, self.fault) = (level, name, score, fault)
        }
    }

    enum Level: String, Sendable, Codable {
        /// One score and one label a frame.
        case image
        /// One score and one label a pixel, each faulty frame alone; the mean over the faulty frames. These are the published
        /// pixel figures.
        case frame
        /// One score and one label a pixel, the pixels of all frames together.
        case pixel
    }

    enum Name: String, Sendable, Codable, CaseIterable {
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
        /// Dice of the pixels above the threshold, small components of at most 7 pixels removed.
        case dice
        /// The same with the small components.
        case diceUnfiltered = "dice-unfiltered"
        /// The largest Dice that any threshold has on the test list; of each frame alone, the Dice at the threshold that the greedy
        /// search finds for it.
        case bestDice = "best-dice"
        /// Hausdorff distance in pixels, mean over the faulty frames whose mask and truth both have pixels: between outlines, or at
        /// the level of frames between whole masks.
        case hausdorff
        /// Share of the faulty frames for which that distance is defined.
        case hausdorffDefined = "hausdorff-defined"
    }

    init(_ key: Key, _ value: Double?) { (self.key, self.value) = (key, value) }
}
