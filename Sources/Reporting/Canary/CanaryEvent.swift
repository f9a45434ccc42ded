package import Plate

/// What is told of the daemon's test of itself: one line in its log, and one record in the journal.
package enum CanaryEvent: Sendable, Equatable {
    /// The test began or ceased to fail.
    package struct Turn: Sendable, Equatable {
        /// When.
        package let time: Timestamp
        /// Name of the model at work.
        package let model: String
        /// A sentence that says what was found, and for an alarm what is no longer and what to do.
        package let reason: String

        /// Gathers a turn.
        package init(time: Timestamp, model: String, reason: String) {
            (self.time, self.model, self.reason) = (time, model, reason)
        }
    }

    /// A round is done.
    case round(CanaryRound)
    /// Faults are not found any more that should be.
    case alarm(Turn)
    /// They are found again.
    case clear(Turn)

    /// The event in a line and in the journal.
    package var name: String {
        switch self {
        case .round: "ROUND"
        case .alarm: "CANARY"
        case .clear: "CANARY-CLEAR"
        }
    }

    /// What a person is told.
    package var sentence: String {
        switch self {
        case .round(let round): "Canary: \(CanaryRule.words(round.tallies))"
        case .alarm(let turn): "Canary: \(turn.reason)"
        case .clear(let turn): "Canary: the detector sees faults again, \(turn.reason)"
        }
    }
}
