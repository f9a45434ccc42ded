/// What came of calibrating on a run's first frames.
package struct RunCalibrationReport: Sendable, Equatable {
    /// How it ended.
    package enum Outcome: Sendable, Equatable {
        /// The run is judged by its own calibration, under this model's name.
        case calibrated(model: String, RunCalibrationFigures)
        /// The calibration from before a restart is used again.
        case resumed(model: String)
        /// The model's own calibration goes on, for this reason.
        case refused(String)
    }

    /// The run.
    package let run: String
    /// How it ended.
    package let outcome: Outcome
}

/// How the calibration on a run's first frames compares with the model's own.
package struct RunCalibrationFigures: Sendable, Equatable {
    /// Frames that it was calibrated on.
    package internal(set) var frames = 0
    /// Wells that they are of.
    package internal(set) var wells = 0
    /// Frames that were left out.
    package internal(set) var leftOut = 0
    /// The same by reason, for people: `8 strongly faulty, 1 frozen`; empty for none.
    package internal(set) var reasons = ""
    /// Of these frames, how many the model's own calibration flags.
    package internal(set) var flaggedBefore = 0
    /// Of the same frames, how many the run's calibration flags.
    package internal(set) var flaggedAfter = 0
    /// The severity above which a frame was faulty by the model's own calibration.
    package internal(set) var thresholdBefore = 0.0
    /// The severity above which it is by the run's.
    package internal(set) var thresholdAfter = 0.0
    /// Share of normal frames that is expected to be called faulty.
    package internal(set) var falseAlarmRate = 0.0
    /// Frames with faults put on them.
    package internal(set) var injected = 0
    /// Of them, how many the model's own calibration finds.
    package internal(set) var foundBefore = 0
    /// How many the run's calibration finds.
    package internal(set) var foundAfter = 0
}
