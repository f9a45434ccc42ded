import GRDB
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
    /// What the frame shows of the well.
    package let view: FrameView
    /// The frame's place in time; `nil` for the whole well.
    package let frame: Int?
    /// Which of the files that say this frame was decided on, by `FrameSource.key`; empty for the only one.
    package let file: String
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
        view: FrameView = .only,
        frame: Int?,
        file: String = "",
        kind: Kind,
        note: String,
        reviewer: String,
        decided: Timestamp
    ) {
        self.run = run
        self.well = well
        self.view = view
        self.frame = frame
        self.file = file
        self.kind = kind
        self.note = String(note.prefix(Self.longestNote))
        self.reviewer = String(reviewer.prefix(Self.longestName))
        self.decided = decided
    }
}

extension Decision {
    /// The frame that was decided on; `nil` for the whole well.
    package var id: FrameID? { frame.map { FrameID(run: run, well: well, view: view, index: $0) } }
}

extension FrameLedger {
    /// Whether this process may write; one that opened the ledger to read may not.
    package var isWritable: Bool { !pool.configuration.readonly }

    /// Adds a decision, durable when this returns.
    package func add(_ decision: Decision) throws(LedgerError) {
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO decisions (run, well, view, frame, file, decision, note, reviewer, decided_ns)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    decision.run, decision.well.description, decision.view.description, decision.frame,
                    decision.file,
                    decision.kind.rawValue,
                    decision.note, decision.reviewer, decision.decided.nanoseconds,
                ]
            )
        }
    }

    /// The decisions that count: the last one on each frame and each well, without those taken back, in the order of
    /// wells and time.
    package func decisions(run: String? = nil, well: Well? = nil) throws(LedgerError) -> [Decision] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM decisions AS latest
                    WHERE (?1 IS NULL OR run = ?1) AND (?2 IS NULL OR well = ?2) AND decision <> 'withdrawn'
                    AND NOT EXISTS (
                        SELECT 1 FROM decisions AS later WHERE later.run = latest.run
                        AND later.well = latest.well AND later.view = latest.view
                        AND later.frame IS latest.frame AND later.file = latest.file AND later.id > latest.id
                    )
                    ORDER BY run, well, view, frame, file
                    """,
                arguments: [run, well?.description]
            ).compactMap(decision)
        }
    }

    private func decision(_ row: Row) -> Decision? {
        guard let well = Well(row["well"] as String), let view = FrameView(row["view"] as String),
            let kind = Decision.Kind(rawValue: row["decision"]),
            (row["frame"] as Int?).map(FrameID.indices.contains) ?? true
        else { return nil }
        return Decision(
            run: row["run"],
            well: well,
            view: view,
            frame: row["frame"],
            file: row["file"],
            kind: kind,
            note: row["note"],
            reviewer: row["reviewer"],
            decided: Timestamp(nanoseconds: row["decided_ns"])
        )
    }
}
