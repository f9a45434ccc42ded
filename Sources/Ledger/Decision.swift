public import Plate

/// What a person who looked at a frame, or at a whole well, says of its verdict.
///
/// Decisions are added and never changed; of those on the same frame or well the last one counts. A decision on a well
/// holds for each flagged frame of it that has none of its own.
public struct Decision: Sendable, Equatable {
    /// What was decided.
    public enum Kind: String, Sendable, CaseIterable {
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
    public static let longestNote = 1000
    /// Longest name of a reviewer, in characters.
    public static let longestName = 80

    /// Name of the run.
    public let run: String
    /// The well.
    public let well: Well
    /// The frame's place in time; `nil` for the whole well.
    public let frame: Int?
    /// What was decided.
    public let kind: Kind
    /// The reviewer's words; may be empty.
    public let note: String
    /// Who decided, as they call themselves.
    public let reviewer: String
    /// When.
    public let decided: Timestamp

    /// Gathers a decision; note and name are cut to their longest length.
    public init(
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
