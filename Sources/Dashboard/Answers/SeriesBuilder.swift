import Ledger
import Plate

/// A well's time series, made small enough to be drawn: 10,000 frames are more than a screen has columns.
struct SeriesBuilder {
    private var points: [FrameLedger.SeriesPoint] = []
    private(set) var turns: [Answer.Turn] = []
    private(set) var threshold: Double?
    private var wasFaulty = false
    private var lastGood: Int?
    private var firstBad: Int?

    /// Takes the next frame in time.
    mutating func add(_ point: FrameLedger.SeriesPoint) {
        points.append(point)
        threshold = point.threshold ?? threshold
        if firstBad == nil, point.state == .judged {
            if point.isFaulty { firstBad = point.frame } else { lastGood = point.frame }
        }
        guard let isFaulty = point.wellIsFaulty, isFaulty != wasFaulty else { return }
        wasFaulty = isFaulty
        turns.append(Answer.Turn(frame: point.frame, event: isFaulty ? "ONSET" : "CLEAR"))
    }

    /// Frames taken.
    var count: Int { points.count }

    /// From where to where the well can be used: up to the frame before the first flagged one.
    var range: Answer.Range? {
        guard let first = points.first, let last = points.last else { return nil }
        return Answer.Range(
            firstFrame: first.frame,
            lastFrame: last.frame,
            lastGood: lastGood,
            firstBad: firstBad
        )
    }

    /// The frames as at most so many marks, each with the lowest and the highest severity of its frames.
    func buckets(atMost most: Int) -> [Answer.Bucket] {
        let size = max(1, (points.count + most - 1) / most)
        return stride(from: 0, to: points.count, by: size).map { start in
            let part = points[start..<min(start + size, points.count)]
            let severities = part.compactMap { $0.severity?.finite }
            return Answer.Bucket(
                first: part.first?.frame ?? 0,
                last: part.last?.frame ?? 0,
                low: severities.min(),
                high: severities.max(),
                flagged: part.count { $0.isFaulty },
                unreadable: part.count { $0.state == .quarantined }
            )
        }
    }
}
