/// What was learnt from a run's first frames, in figures.
public struct LearningFigures: Sendable, Equatable {
    /// Frames learnt from.
    public internal(set) var frames = 0
    /// Wells that they are of.
    public internal(set) var wells = 0
    /// Frames that were left out.
    public internal(set) var leftOut = 0
    /// The same by reason, for people: `8 strongly faulty, 1 frozen`; empty for none.
    public internal(set) var reasons = ""
    /// Of the frames learnt from, how many were flagged before.
    public internal(set) var flaggedBefore = 0
    /// Of the same frames, how many would be now.
    public internal(set) var flaggedAfter = 0
    /// The severity above which a frame was faulty before.
    public internal(set) var thresholdBefore = 0.0
    /// The severity above which it is now.
    public internal(set) var thresholdAfter = 0.0
    /// Share of normal frames that is expected to be called faulty.
    public internal(set) var falseAlarmRate = 0.0
    /// Frames with faults put on them.
    public internal(set) var injected = 0
    /// Of them, how many were found before.
    public internal(set) var foundBefore = 0
    /// How many are now.
    public internal(set) var foundAfter = 0
}
