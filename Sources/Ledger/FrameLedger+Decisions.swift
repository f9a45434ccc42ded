import GRDB
package import Plate

extension FrameLedger {
    /// Whether this process may write; one that opened the ledger to read may not.
    package var isWritable: Bool { !pool.configuration.readonly }

    /// Adds a decision, durable when this returns.
    package func add(_ decision: Decision) throws(LedgerError) {
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO decisions (run, well, frame, decision, note, reviewer, decided_ns)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    decision.run, decision.well.description, decision.frame, decision.kind.rawValue,
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
                        AND later.well = latest.well AND later.frame IS latest.frame AND later.id > latest.id
                    )
                    ORDER BY run, well, frame
                    """,
                arguments: [run, well?.description]
            ).compactMap(decision)
        }
    }

    private func decision(_ row: Row) -> Decision? {
        guard let well = Well(row["well"] as String), let kind = Decision.Kind(rawValue: row["decision"])
        else { return nil }
        return Decision(
            run: row["run"],
            well: well,
            frame: row["frame"],
            kind: kind,
            note: row["note"],
            reviewer: row["reviewer"],
            decided: Timestamp(nanoseconds: row["decided_ns"])
        )
    }
}
