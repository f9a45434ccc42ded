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

    /// Takes a judgement; another threshold than the model's decides anew.
    init(_ judgement: Judgement, threshold: Double?) {
        scores = judgement.scores
        score = judgement.score
        severity = judgement.severity
        self.threshold = threshold ?? judgement.threshold
        verdict = threshold.map { judgement.severity > $0 ? .faulty : .normal } ?? judgement.verdict
        area = judgement.mask.area
        boundingBox = judgement.mask.boundingBox
        cause = judgement.cause
        appearance = judgement.appearance
        pictures = verdict == .faulty ? Pictures(mask: judgement.mask, map: judgement.map) : nil
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
