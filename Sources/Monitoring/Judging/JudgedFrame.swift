import Plate

/// What a judgement says of a frame, with its pictures only where they are to be written.
struct JudgedFrame {
    /// What the sidecars of a faulty frame show.
    struct Pictures {
        let mask: Mask
        let map: ScoreMap
    }

    let scores: ImageScores
    let score: Double
    let severity: Double
    let threshold: Double
    private(set) var verdict: Verdict
    let area: Double
    let boundingBox: PixelRectangle?
    let pictures: Pictures?
    private(set) var cause: ProbableCause
    let appearance: [Float]

    /// Takes a judgement.
    init(_ judgement: Judgement) {
        scores = judgement.scores ?? ImageScores(maximum: .nan, mean: .nan, patch: .nan)
        score = judgement.score
        severity = judgement.severity
        threshold = judgement.threshold
        verdict = judgement.verdict
        area = judgement.area
        boundingBox = judgement.boundingBox
        cause = judgement.cause
        appearance = judgement.appearance
        pictures =
            verdict == .faulty
            ? judgement.pictures.map { Pictures(mask: $0.mask, map: $0.map) } : nil
    }

    /// The judgement without its pictures, as the rules take it.
    var judgement: Judgement {
        Judgement(
            verdict: verdict,
            severity: severity,
            threshold: threshold,
            scores: scores,
            score: score,
            cause: cause,
            area: area,
            boundingBox: boundingBox,
            appearance: appearance
        )
    }

    /// The same frame, faulty because the camera delivers one image again and again.
    var frozen: JudgedFrame {
        var frame = self
        (frame.verdict, frame.cause) = (.faulty, ProbableCause(.frozen, confidence: 1))
        return frame
    }

    /// Figures that are no numbers are no verdict: a file of floats can hold values that no sum survives.
    var isFinite: Bool {
        [scores.maximum, scores.mean, scores.patch, score, severity].allSatisfy(\.isFinite)
    }
}
