package import Plate

/// The published search for a threshold from labelled scores: ten halvings of the range from 0 to the largest
/// score.
///
/// Each step compares the figure at the first and the third quarter of the range and keeps the half with the
/// better one, the lower if they are equal. A score above the threshold means faulty.
package struct GreedyThreshold: Sendable, Equatable, Codable {
    /// Scores above this are faulty.
    package let threshold: Double
    /// The accuracy or Dice that it reached, in [0, 1].
    package let figure: Double

    private static let halvings = 10

    /// Searches for the threshold of image scores that gives the best accuracy.
    package static func accuracy(scores: [Double], faulty: [Bool]) -> GreedyThreshold {
        search(upTo: scores.max() ?? 0, takesEqual: false) { threshold in
            ClassificationMetrics.accuracy(scores: scores, faulty: faulty, threshold: threshold)
        }
    }

    /// Searches for the threshold of pixels that gives the best Dice, over the pixels of all maps together.
    package static func dice(maps: [ScoreMap], masks: [Mask]) -> GreedyThreshold {
        let largest = maps.map { $0.values.reduce(0) { max($0, $1) } }.max() ?? 0
        return search(upTo: Double(largest), takesEqual: true) { threshold in
            ClassificationMetrics.dice(maps: maps, masks: masks, threshold: threshold)
        }
    }

    /// The same division of scores, told by another quantity that rises with them.
    package func moved(to threshold: Double) -> GreedyThreshold {
        GreedyThreshold(threshold: threshold, figure: figure)
    }

    private static func search(
        upTo largest: Double,
        takesEqual: Bool,
        figure: (Double) -> Double
    ) -> GreedyThreshold {
        var range = (low: 0.0, high: largest)
        var best = GreedyThreshold(threshold: 0, figure: 0)
        for _ in 0..<halvings {
            let span = range.high - range.low
            let lower = GreedyThreshold(at: range.low + span / 4, figure: figure)
            let upper = GreedyThreshold(at: range.low + span * 3 / 4, figure: figure)
            let middle = range.low + span / 2
            let better = upper.figure > lower.figure ? upper : lower
            if upper.figure > lower.figure { range.low = middle } else { range.high = middle }
            if better.figure > best.figure || takesEqual && better.figure == best.figure { best = better }
        }
        return best
    }

    private init(at threshold: Double, figure: (Double) -> Double) {
        self.init(threshold: threshold, figure: figure(threshold))
    }

    private init(threshold: Double, figure: Double) {
        self.threshold = threshold
        self.figure = figure
    }
}
