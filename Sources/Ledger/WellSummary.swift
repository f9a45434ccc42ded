public import Plate

/// How one well of a run stands: sums over its frames, and the frame recorded last.
public struct WellSummary: Sendable, Equatable {
    /// The well.
    public let well: Well
    /// Frames judged.
    public let scored: Int
    /// Of them, those judged faulty.
    public let faulty: Int
    /// Frames that could not be judged.
    public let quarantined: Int
    /// When the first outcome was decided.
    public let first: Timestamp
    /// Whether the well counts as faulty, after hysteresis.
    public let isFaulty: Bool
    /// Frames judged faulty among the last three in turn.
    public let recentlyFaulty: Int
    /// Whether its frames stopped coming while those of other wells came.
    public let isStalled: Bool
    /// The frame recorded last.
    public let last: Last

    /// The frame that was recorded last.
    public struct Last: Sendable, Equatable {
        /// Its place in time.
        public let frame: Int
        /// How it ended.
        public let state: FrameRecord.State
        /// Normal or faulty; `nil` where it was not judged.
        public let verdict: Verdict?
        /// Distance from normal frames in their own spread.
        public let severity: Double?
        /// Severity above which a frame is faulty.
        public let threshold: Double?
        /// Probable cause.
        public let cause: String?
        /// Why it was not judged.
        public let reason: String?
        /// When the file was complete.
        public let completed: Timestamp?
        /// When the outcome was decided.
        public let judged: Timestamp
        /// Its place in the order of recording.
        public let sequence: Int64
    }
}
