/// What is said of a frame.
public enum Verdict: String, Sendable, Equatable, CaseIterable {
    /// Like the frames the model was trained on.
    case normal
    /// Unlike them: the severity is above the threshold.
    case faulty
    /// No judgement was possible: the file is damaged or of a kind that cannot be read.
    case unreadable
}

/// The three image scores of the benchmark, each over the median-filtered score map.
public struct ImageScores: Sendable, Equatable {
    /// Largest pixel.
    public let maximum: Double
    /// Mean of all pixels.
    public let mean: Double
    /// Largest mean of a 16 x 16 window at stride 8.
    public let patch: Double

    /// Gathers the three scores.
    public init(maximum: Double, mean: Double, patch: Double) {
        self.maximum = maximum
        self.mean = mean
        self.patch = patch
    }
}

/// The detector's answer for one readable frame.
public struct Judgement: Sendable, Equatable {
    /// Normal or faulty.
    public let verdict: Verdict
    /// The three image scores.
    public let scores: ImageScores
    /// The one of the three that the model was calibrated on.
    public let score: Double
    /// Distance from the calibration's normal frames in their own spread, on either side, at least 0.
    public let severity: Double
    /// The severity above which a frame is faulty.
    public let threshold: Double
    /// The faulty pixels; empty where nothing passes the map's threshold.
    public let mask: Mask
    /// The median-filtered residual that the scores were taken from.
    public let map: ScoreMap
    /// Why a faulty frame is faulty; `unknown` for a normal one.
    public let cause: ProbableCause
    /// How the whole frame looks, beside its brightness: figures in the spread of normal tiles; empty where the model knows none.
    public let appearance: [Float]

    /// Gathers a judgement.
    public init(
        verdict: Verdict,
        scores: ImageScores,
        score: Double,
        severity: Double,
        threshold: Double,
        mask: Mask,
        map: ScoreMap,
        cause: ProbableCause = .unknown,
        appearance: [Float] = []
    ) {
        self.verdict = verdict
        self.scores = scores
        self.score = score
        self.severity = severity
        self.threshold = threshold
        self.mask = mask
        self.map = map
        self.cause = cause
        self.appearance = appearance
    }
}
