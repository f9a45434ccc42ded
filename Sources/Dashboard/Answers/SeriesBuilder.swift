import Ledger
import Plate
import Reporting

/// A well's time series, made small enough to be drawn: 10,000 frames are more than a screen has columns.
struct SeriesBuilder {
    private var points: [SeriesPoint] = []
    private(set) var transitions: [Answer.Transition] = []
    private(set) var threshold: Double?
    private var wasFaulty = false
    /// The flagged frames without a longer gap up to now: the first and the last, by their place among the points.
    private var spell: (first: Int, last: Int)?
    /// Frames between two flagged ones, at most, that belong together.
    private static let longestGap = 2
    private var lastGood: Int?
    private var firstBad: Int?

    mutating func add(_ point: SeriesPoint) {
        points.append(point)
        if point.isFaulty {
            let isOn = spell.map { points.count - $0.last <= Self.longestGap + 2 } ?? false
            spell = (isOn ? spell?.first ?? points.count - 1 : points.count - 1, points.count - 1)
        }
        threshold = point.threshold ?? threshold
        if firstBad == nil, point.state == .judged {
            if point.isFaulty { firstBad = point.frame } else { lastGood = point.frame }
        }
        guard let isFaulty = point.wellIsFaulty, isFaulty != wasFaulty else { return }
        wasFaulty = isFaulty
        let first = spell.map { points[$0.first].frame }
        transitions.append(
            Answer.Transition(
                frame: point.frame,
                event: isFaulty ? "ONSET" : "CLEAR",
                from: isFaulty ? first ?? point.frame : nil
            )
        )
    }

    var count: Int { points.count }
    var flagged: Int { points.count { $0.isFaulty } }
    var unreadable: Int { points.count { $0.state == .quarantined } }

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
                time: part.lazy.compactMap(\.completed).first?.iso8601,
                low: severities.min(),
                high: severities.max(),
                flagged: part.count { $0.isFaulty },
                suspect: part.count { $0.isSuspect },
                unreadable: part.count { $0.state == .quarantined }
            )
        }
    }
}
