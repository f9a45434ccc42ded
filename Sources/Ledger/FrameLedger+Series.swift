import GRDB
package import Plate

extension FrameLedger {
    /// One frame of a well's time series, without what only a single frame's page shows.
    package struct SeriesPoint: Sendable, Equatable {
        /// Its place in time.
        package let frame: Int
        /// How it ended.
        package let state: FrameRecord.State
        /// Distance from normal frames in their own spread; `nil` where it was not judged.
        package let severity: Double?
        /// Severity above which it would be faulty.
        package let threshold: Double?
        /// Whether it was judged faulty.
        package let isFaulty: Bool
        /// Whether the well counts as faulty from it on; `nil` for one judged out of turn, or not at all.
        package let wellIsFaulty: Bool?
    }

    /// Which frames of a well are asked for.
    package struct Selection: Sendable, Equatable {
        /// Frames before this one only.
        package var before: Int?
        /// Frames from this one on only.
        package var from: Int?
        /// Flagged frames only.
        package var flaggedOnly = false
        /// So many at most.
        package var limit: Int

        /// Selects the last frames of a well.
        package init(limit: Int) {
            self.limit = limit
        }
    }

    /// Hands over the frames of a well in the order of time; of files that name the same frame, each.
    package func forEachPoint(
        of well: Well,
        run: String,
        _ body: (SeriesPoint) throws -> Void
    ) throws(LedgerError) {
        try read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT frame, state, severity, threshold, verdict, well_faulty FROM frames
                    WHERE run = ? AND well = ? AND state <> 'skipped' ORDER BY frame, sequence
                    """,
                arguments: [run, well.description]
            )
            while let row = try rows.next() {
                guard let frame: Int = row[0], let state = FrameRecord.State(rawValue: row[1]) else {
                    continue
                }
                let point = SeriesPoint(
                    frame: frame,
                    state: state,
                    severity: row[2],
                    threshold: row[3],
                    // A frame that could not be judged has no verdict.
                    isFaulty: (row[4] as String?) == Verdict.faulty.rawValue,
                    wellIsFaulty: row[5]
                )
                try body(point)
            }
        }
    }

    /// Hands over the severity of every judged frame of a run and whether it is faulty, in no particular order.
    package func forEachSeverity(
        of run: String,
        _ body: (Well, _ severity: Double, _ isFaulty: Bool) -> Void
    ) throws(LedgerError) {
        try read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT well, severity, verdict FROM frames
                    WHERE run = ? AND state = 'scored' AND well IS NOT NULL AND severity IS NOT NULL
                    """,
                arguments: [run]
            )
            while let row = try rows.next() {
                guard let well = Well(row[0] as String) else { continue }
                body(well, row[1], (row[2] as String?) == Verdict.faulty.rawValue)
            }
        }
    }

    /// Some frames of a well, the latest first.
    package func records(
        of well: Well,
        run: String,
        _ selection: Selection
    ) throws(LedgerError) -> [FrameRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    \(FrameRow.selection) WHERE run = ?1 AND well = ?2 AND state <> 'skipped'
                    AND frame < ?3 AND frame >= ?4 \(selection.flaggedOnly ? "AND verdict = 'faulty'" : "")
                    ORDER BY frame DESC, sequence DESC LIMIT ?5
                    """,
                arguments: [
                    run, well.description, selection.before ?? .max, selection.from ?? .min, selection.limit,
                ]
            ).map(FrameRow.record(from:))
        }
    }
}
