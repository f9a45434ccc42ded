import Mathematics

/// Whether a well creeps towards its threshold while its frames still pass.
///
/// Medians over `window` frames are compared, one of the well's first frames and one of its last: single frames and cells
/// that wander by do not move them. A well drifts where the later median has gone at least `share` of the way from the
/// earlier one to the threshold, and began below that share of the threshold itself.
package enum DriftRule {
    /// Frames of a median.
    package static let window = 32
    /// Part of the way to the threshold that is drift.
    static let share = 0.5
    /// Frames of a well until it is said again: an hour at a frame per 8 s.
    package static let silence = 450

    /// How far a well has gone.
    package struct Rise: Sendable, Equatable {
        /// Median severity of its first frames.
        package let from: Double
        /// Median severity of its last frames.
        package let to: Double
    }

    /// The rise from the first frames' severities to the last frames'; `nil` where there is no drift or too few frames.
    package static func rise(first: [Double], last: [Double], threshold: Double) -> Rise? {
        guard first.count == window, last.count == window, threshold.isFinite else { return nil }
        let rise = Rise(from: first.median, to: last.median)
        guard rise.from < share * threshold, rise.to < threshold,
            rise.to - rise.from >= share * (threshold - rise.from)
        else { return nil }
        return rise
    }
}
