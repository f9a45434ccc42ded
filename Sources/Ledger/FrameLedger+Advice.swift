import Foundation
import GRDB
package import Plate

extension FrameLedger {
    /// Which advice is asked for.
    package enum AdviceSelection: Sendable {
        /// All there was.
        case all
        /// What may still be answered.
        case open
        /// What was given for a reason that is not over.
        case standing
    }

    /// Advice of a run, or of all runs, in the order in which it was given.
    ///
    /// Rows that make no sense are passed over.
    package func advice(run: String? = nil, _ selection: AdviceSelection = .all) throws(LedgerError)
        -> [Advice]
    {
        var condition =
            switch selection {
            case .all: "true"
            case .open: "state IN ('pending', 'acknowledged')"
            case .standing: "NOT is_over"
            }
        // A condition for what is given only, so that the index leads to it.
        if run != nil { condition += " AND run = ?" }
        return try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM advice WHERE \(condition) ORDER BY since_ns, id",
                arguments: StatementArguments([run].compactMap(\.self))
            ).compactMap(Self.advice)
        }
    }

    /// The advice of an id; `nil` where there is none.
    package func advice(id: String) throws(LedgerError) -> Advice? {
        try read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM advice WHERE id = ?", arguments: [id])
                .flatMap(Self.advice)
        }
    }

    /// At which frame each well turned faulty last, and the probable cause then.
    package func onsets(of run: String) throws(LedgerError) -> [Well: (frame: Int, cause: Cause)] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT well, frame, cause, max(id) FROM alarms WHERE run = ? AND event = 'ONSET' GROUP BY well
                    """,
                arguments: [run]
            ).reduce(into: [:]) { onsets, row in
                guard let well = Well(row["well"] as String), FrameID.indices.contains(row["frame"]) else {
                    return
                }
                let cause = (row["cause"] as String?).flatMap { Cause(rawValue: $0) } ?? .unknown
                onsets[well] = (row["frame"], cause)
            }
        }
    }

    /// At which frame a well turned faulty last; `nil` for one that never did.
    package func lastOnset(of well: Well, run: String) throws(LedgerError) -> Int? {
        try read { database in
            try Int.fetchOne(
                database,
                sql:
                    "SELECT frame FROM alarms WHERE run = ? AND well = ? AND event = 'ONSET' ORDER BY id DESC LIMIT 1",
                arguments: [run, well.description]
            )
        }
    }

    /// Keeps an advice; one of the same id takes the new state.
    static func upsert(_ advice: Advice, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO advice (id, run, action, wells, reason, since_ns, frame, state, by, at_ns, note, is_over)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET state = excluded.state, by = excluded.by, at_ns = excluded.at_ns,
                    note = excluded.note, is_over = excluded.is_over
                """
        )
        try statement.execute(
            arguments: [
                advice.id, advice.run, advice.action.rawValue,
                advice.wells.map(\.description).joined(separator: " "), advice.reason,
                advice.since.nanoseconds, advice.frame, advice.state.rawValue, advice.answer?.by,
                advice.answer?.at.nanoseconds, advice.answer?.note, advice.isOver,
            ]
        )
    }

    private static func advice(_ row: Row) -> Advice? {
        guard let action = Advice.Action(rawValue: row["action"]),
            let state = Advice.State(rawValue: row["state"]), FrameID.indices.contains(row["frame"])
        else { return nil }
        let names = (row["wells"] as String).split(separator: " ")
        let advice = Advice(
            id: row["id"],
            run: row["run"],
            action: action,
            wells: names.compactMap { Well($0) },
            reason: row["reason"],
            since: Timestamp(nanoseconds: row["since_ns"]),
            frame: row["frame"],
            isOver: row["is_over"]
        )
        guard let by: String = row["by"], let time: Int64 = row["at_ns"] else { return advice }
        return advice.answered(
            Advice.Answer(state, by: by, note: row["note"] ?? "", at: Timestamp(nanoseconds: time))
        )
    }
}
