package import Plate

/// What a person who looked at a frame, or at a whole well, says of its verdict.
///
/// Decisions are added and never changed; of those on the same frame or well the last one counts. A decision on a well
/// holds for each flagged frame of it that has none of its own.
package struct Decision: Sendable, Equatable {
    /// What was decided.
    package enum Kind: String, Sendable, CaseIterable {
        /// The frame is faulty indeed.
        case fault
        /// The frame is normal although it was flagged.
        case falseAlarm = "false-alarm"
        /// It cannot be told; the frame is no example of either.
        case unsure
        /// An earlier decision is taken back.
        case withdrawn
    }

    /// Longest note, in characters.
    package static let longestNote = 1000
    /// Longest name of a reviewer, in characters.
    package static let longestName = 80

    /// Name of the run.
    package let run: String
    /// The well.
    package let well: Well
    /// The frame's place in time; `nil` for the whole well.
    package let frame: Int?
    /// What was decided.
    package let kind: Kind
    /// The reviewer's words; may be empty.
    package let note: String
    /// Who decided, as they call themselves.
    package let reviewer: String
    /// When.
    package let decided: Timestamp

    /// Gathers a decision; note and name are cut to their longest length.
    package init(
        run: String,
        well: Well,
        frame: Int?,
        kind: Kind,
        note: String,
        reviewer: String,
        decided: Timestamp
    ) {
        self.run = run
        self.well = well
        self.frame = frame
        self.kind = kind
        self.note = String(note.prefix(Self.longestNote))
        self.reviewer = String(reviewer.prefix(Self.longestName))
        self.decided = decided
    }
}
