/// Turns an image score into a distance from normal frames, in their own spread and on either side.
///
/// A faulty frame may score low as well as high: a defocused one is easier to reconstruct than a sharp one.
package struct SeverityScale: Sendable, Equatable, Codable {
    /// Median score of the normal frames.
    package let median: Double
    /// Their 84th percentile above the median: one standard deviation if they were Gaussian.
    package let spreadAbove: Double
    /// The median above their 16th percentile.
    package let spreadBelow: Double

    /// Spreads are at least this share of the median's size: frames that are all alike do not make any other
    /// faulty.
    private static let smallestRelativeSpread = 1e-3
    private static let smallestSpread = 1e-9

    /// Wraps a scale that was fitted before; both spreads are positive.
    package init(median: Double, spreadAbove: Double, spreadBelow: Double) {
        precondition(spreadAbove > 0 && spreadBelow > 0, "spreads of \(spreadAbove) and \(spreadBelow)")
        self.median = median
        self.spreadAbove = spreadAbove
        self.spreadBelow = spreadBelow
    }

    /// Reads a scale that was stored; throws if a spread is not positive.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        median = try fields.decode(Double.self, forKey: .median)
        spreadAbove = try fields.decode(Double.self, forKey: .spreadAbove)
        spreadBelow = try fields.decode(Double.self, forKey: .spreadBelow)
        guard spreadAbove > 0, spreadBelow > 0 else {
            let problem = "spreads of \(spreadAbove) and \(spreadBelow) are not positive"
            throw DecodingError.dataCorrupted(.init(codingPath: fields.codingPath, debugDescription: problem))
        }
    }

    /// Fits the scale to the scores of normal frames, at least one.
    package init(normalScores: [Double]) {
        precondition(!normalScores.isEmpty, "a severity scale needs normal frames")
        let sorted = normalScores.sorted()
        let median = Self.quantile(0.5, of: sorted)
        let floor = max(Self.smallestRelativeSpread * abs(median), Self.smallestSpread)
        self.init(
            median: median,
            spreadAbove: max(Self.quantile(0.84, of: sorted) - median, floor),
            spreadBelow: max(median - Self.quantile(0.16, of: sorted), floor)
        )
    }

    /// Distance of a score from the median, at least 0.
    package func severity(of score: Double) -> Double {
        score >= median ? (score - median) / spreadAbove : (median - score) / spreadBelow
    }

    /// The same scale with spreads of at least this size.
    func widened(to spread: Double) -> SeverityScale {
        SeverityScale(
            median: median,
            spreadAbove: max(spreadAbove, spread),
            spreadBelow: max(spreadBelow, spread)
        )
    }

    /// Linear between the two nearest ranks.
    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let position = share * Double(sorted.count - 1)
        let index = Int(position)
        let next = min(index + 1, sorted.count - 1)
        return sorted[index] + (position - Double(index)) * (sorted[next] - sorted[index])
    }
}
