package import Plate

/// One round of the daemon's test of itself: faults put on copies of live normal frames, and how many of them were found.
package struct CanaryRound: Sendable, Equatable {
    /// Copies with faults of one class, and how many of them were judged faulty.
    package struct Tally: Sendable, Equatable {
        /// The class.
        package let cause: Cause
        /// Copies that were judged.
        package var copies: Int
        /// Of them, those that were judged faulty.
        package var found: Int

        /// Gathers the figures of a class.
        package init(cause: Cause, copies: Int = 0, found: Int = 0) {
            (self.cause, self.copies, self.found) = (cause, copies, found)
        }
    }

    /// When it ended.
    package let time: Timestamp
    /// Name of the model that judged.
    package let model: String
    /// What the network computed with.
    package let precision: String
    /// Severity above which a frame was faulty.
    package let threshold: Double
    /// The frames that were copied, in words; what a round does follows from them.
    package let frames: String
    /// Frames that were judged normal when they came, and are not unchanged now: nothing was put on them.
    package let leftOut: Int
    /// What was found, by class.
    package let tallies: [Tally]
    /// Core time that reading, copying and judging took.
    package let cost: Duration

    /// Gathers a round.
    package init(
        time: Timestamp,
        model: String,
        precision: String,
        threshold: Double,
        frames: String,
        leftOut: Int,
        tallies: [Tally],
        cost: Duration
    ) {
        self.time = time
        self.model = model
        self.precision = precision
        self.threshold = threshold
        self.frames = frames
        self.leftOut = leftOut
        self.tallies = tallies
        self.cost = cost
    }

    /// Copies of all classes.
    package var copies: Int { tallies.reduce(0) { $0 + $1.copies } }

    /// Of them, those that were judged faulty.
    package var found: Int { tallies.reduce(0) { $0 + $1.found } }

    /// Share of the copies that were found; `nil` for a round without any.
    package var sensitivity: Double? { copies > 0 ? Double(found) / Double(copies) : nil }

    /// Whether another round was judged with the same model, precision and threshold, so that the two can be compared.
    func isOfSameDetector(as other: CanaryRound) -> Bool {
        model == other.model && precision == other.precision
            && AlarmLine.figure(threshold) == AlarmLine.figure(other.threshold)
    }
}
