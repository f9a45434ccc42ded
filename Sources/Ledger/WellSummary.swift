package import Plate

/// How one well of a run stands: sums over its frames, and the frame recorded last.
package struct WellSummary: Sendable, Equatable {
    /// The well.
    package let well: Well
    /// Frames judged.
    package let judged: Int
    /// Of them, those judged faulty.
    package let flagged: Int
    /// Frames that could not be judged.
    package let quarantined: Int
    /// When the first outcome was decided.
    package let first: Timestamp
    /// Whether the well counts as faulty, after hysteresis.
    package let isFaulty: Bool
    /// Frames judged faulty among the last three in turn.
    package let recentlyFaulty: Int
    /// Whether its frames stopped coming while those of other wells came.
    package let isStalled: Bool
    /// The frame recorded last.
    package let last: Last

    /// The frame that was recorded last.
    package struct Last: Sendable, Equatable {
        /// Its place in time.
        package let frame: Int
        /// How it ended.
        package let state: FrameRecord.State
        /// Normal or faulty; `nil` where it was not judged.
        package let verdict: Verdict?
        /// Distance from normal frames in their own spread.
        package let severity: Double?
        /// Severity above which a frame is faulty.
        package let threshold: Double?
        /// Probable cause.
        package let cause: String?
        /// Why it was not judged.
        package let reason: String?
        /// When the file was complete.
        package let completed: Timestamp?
        /// When the outcome was decided.
        package let judged: Timestamp
        /// Its place in the order of recording.
        package let sequence: Int64
    }
}
