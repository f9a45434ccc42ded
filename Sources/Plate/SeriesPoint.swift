/// One frame of a well's time series, without what only a single frame's page shows.
package struct SeriesPoint: Sendable, Equatable {
    /// Its place in time.
    package let frame: Int
    /// How it ended.
    package let state: FrameRecord.State
    /// Distance from normal frames in their own spread; `nil` where it was not judged.
    package let severity: Double?
    /// Severity above which it would be faulty.
    package let threshold: Double?
    /// Whether it was judged faulty.
    package let isFaulty: Bool
    /// Whether it passes with a severity above the lower limit.
    package let isSuspect: Bool
    /// Whether the well counts as faulty from it on; `nil` for one judged after newer ones, or not at all.
    package let wellIsFaulty: Bool?
    /// Probable cause; `nil` for a normal frame.
    package let cause: String?
    /// The evidence for a fault up to it; `nil` where that is not known.
    package let evidence: Double?
    /// When its file was complete.
    package let completed: Timestamp?
    /// When its file was written.
    package let modified: Timestamp?
    /// Its place in the order of recording, which no other frame has.
    package let sequence: Int64

    /// Gathers a frame; a normal one of which nothing else is known where nothing else is said.
    package init(
        frame: Int,
        state: FrameRecord.State = .judged,
        severity: Double? = nil,
        threshold: Double? = nil,
        isFaulty: Bool = false,
        isSuspect: Bool = false,
        wellIsFaulty: Bool? = nil,
        cause: String? = nil,
        evidence: Double? = nil,
        completed: Timestamp? = nil,
        modified: Timestamp? = nil,
        sequence: Int64 = 0
    ) {
        (self.frame, self.state, self.sequence) = (frame, state, sequence)
        (self.severity, self.threshold) = (severity, threshold)
        (self.isFaulty, self.isSuspect, self.wellIsFaulty) = (isFaulty, isSuspect, wellIsFaulty)
        (self.cause, self.evidence) = (cause, evidence)
        (self.completed, self.modified) = (completed, modified)
    }
}
