/// What was learnt from a run's first frames, in figures.
package struct LearningFigures: Sendable, Equatable {
    /// Frames learnt from.
    package internal(set) var frames = 0
    /// Wells that they are of.
    package internal(set) var wells = 0
    /// Frames that were left out.
    package internal(set) var leftOut = 0
    /// The same by reason, for people: `8 strongly faulty, 1 frozen`; empty for none.
    package internal(set) var reasons = ""
    /// Of the frames learnt from, how many were flagged before.
    package internal(set) var flaggedBefore = 0
    /// Of the same frames, how many would be now.
    package internal(set) var flaggedAfter = 0
    /// The severity above which a frame was faulty before.
    package internal(set) var thresholdBefore = 0.0
    /// The severity above which it is now.
    package internal(set) var thresholdAfter = 0.0
    /// Share of normal frames that is expected to be called faulty.
    package internal(set) var falseAlarmRate = 0.0
    /// Frames with faults put on them.
    package internal(set) var injected = 0
    /// Of them, how many were found before.
    package internal(set) var foundBefore = 0
    /// How many are now.
    package internal(set) var foundAfter = 0
}
