/// Whether a well's frames, normal as they are, changed all at once: the focus moved by some 15 um, say, or the lamp flickered.
///
/// How far a single frame is from normal ones hides that, as wells differ; a well's own past does not. The last `changed` frames
/// all lie on one side of the `before` frames before them, farther from their median than `spreads` times their spread (from
/// the median absolute deviation, as one odd frame shall not widen it).
public enum ShiftRule {
    /// Frames that show the change: one or two odd ones are none.
    static let changed = 4
    /// Frames that say what the well was like.
    static let before = 24
    /// Frames that are looked at.
    public static let window = before + changed
    /// Distance that is a change.
    static let spreads = 7.0
    /// Of a Gaussian, standard deviations in a median absolute deviation.
    private static let gaussian = 1.4826

    /// How far a figure went.
    public struct Shift: Sendable, Equatable {
        /// Median of the frames before.
        public let from: Double
        /// Median of the frames that changed.
        public let to: Double
    }

    /// The change of a figure over the last `window` frames, in their order; `nil` where there is none or too few frames.
    ///
    /// `smallestSpread` is what the figure may differ by in any well.
    public static func shift(_ figures: some Collection<Double>, smallestSpread: Double) -> Shift? {
        guard figures.count == window else { return nil }
        let past = Array(figures.prefix(before))
        let latest = Array(figures.suffix(changed))
        let from = past.median
        let spread = max(gaussian * past.map { abs($0 - from) }.median, smallestSpread)
        let distances = latest.map { ($0 - from) / spread }
        guard distances.allSatisfy({ $0 > spreads }) || distances.allSatisfy({ $0 < -spreads }) else {
            return nil
        }
        return Shift(from: from, to: latest.median)
    }
}
