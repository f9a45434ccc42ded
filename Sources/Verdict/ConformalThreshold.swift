import Foundation
import Plate

/// A threshold from normal frames alone that new normal frames pass at a stated rate.
///
/// Of n normal values the ceil((n + 1)(1 - rate))-th smallest is exceeded by a new one with a chance of at
/// most the rate, whatever the distribution (Vovk et al. 2005). Below a rate of 1 / (n + 1) there is no such
/// value; then an exponential tail through the upper values is followed, which is an assumption and is said
/// to be one.
package struct ConformalThreshold: Sendable, Equatable, Codable {
    /// Values above this raise an alarm.
    package let value: Double
    /// The share of normal frames that may raise one, in (0, 1).
    package let falseAlarmRate: Double
    /// Number of normal frames it was found from.
    package let frameCount: Int
    /// Whether these were too few for the rate, so that the value lies beyond what was seen.
    package let isExtrapolated: Bool

    /// The smallest number of normal frames that vouches for a rate without extrapolation.
    package static func framesNeeded(falseAlarmRate: Double) -> Int {
        Int(saturating: (1 / falseAlarmRate - roundingSlack).rounded(.up)) - 1
    }

    /// Finds the threshold from one value per normal frame, for example its severity; at least one frame.
    ///
    /// It is never below `smallest`, what normal frames of other microscopes reach. With a `typicalExcess`, the tail's scale is drawn
    /// towards it, which counts as much as ten frames.
    package init(
        normalValues: [Double],
        falseAlarmRate: Double,
        smallest: Double = 0,
        typicalExcess: Double? = nil
    ) {
        precondition(!normalValues.isEmpty, "a threshold needs normal frames")
        precondition(falseAlarmRate > 0 && falseAlarmRate < 1, "\(falseAlarmRate) is no rate of false alarms")
        let falling = normalValues.sorted(by: >)
        let allowed = Int(saturating: Double(falling.count + 1) * falseAlarmRate + Self.roundingSlack)
        self.falseAlarmRate = falseAlarmRate
        frameCount = falling.count
        isExtrapolated = allowed == 0
        let found =
            allowed > 0 ? falling[allowed - 1] : Self.tail(of: falling, at: falseAlarmRate, typicalExcess)
        value = max(found, smallest)
    }

    /// Products like 100 x 0.01 must not fall below the whole number that they stand for.
    private static let roundingSlack = 1e-9
    private static let smallestTail = 10
    /// How many frames count as much as a typical excess.
    private static let knownFrames = 10.0

    /// The upper quarter, but at least ten values, sets the scale: the mean excess over the value below them.
    private static func tail(
        of falling: [Double],
        at rate: Double,
        _ typicalExcess: Double?
    ) -> Double {
        let count = min(falling.count - 1, max(smallestTail, falling.count / 4))
        let start = count > 0 ? falling[count] : 0
        var excess = falling[..<max(count, 1)].reduce(0) { $0 + $1 - start } / Double(max(count, 1))
        if let typicalExcess {
            let (own, known) = (Double(falling.count), knownFrames)
            excess = (own * excess + known * typicalExcess) / (own + known)
        }
        let share = Double(count + 1) / Double(falling.count + 1)
        return max(falling[0], start + excess * log(share / rate))
    }
}
