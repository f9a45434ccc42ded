import Foundation
import GRDB
package import Plate

extension FrameLedger {
    /// A run as a list of runs shows it.
    package struct RunSummary: Sendable, Equatable {
        /// Its name.
        package let run: String
        /// Wells with an outcome.
        package let wells: Int
        /// Frames judged.
        package let judged: Int
        /// Of them, those judged faulty.
        package let flagged: Int
        /// Frames that could not be judged.
        package let quarantined: Int
        /// When the first outcome was decided.
        package let first: Timestamp
        /// Place of its last outcome in the order of recording.
        package let lastSequence: Int64
    }

    /// All runs, the one recorded last first.
    package func runs() throws(LedgerError) -> [RunSummary] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT run, count(*) AS wells, sum(judged) AS judged, sum(flagged) AS flagged,
                    sum(quarantined) AS quarantined, min(first_ns) AS first_ns, max(last_sequence) AS last
                    FROM wells GROUP BY run ORDER BY last DESC
                    """
            ).map { row in
                RunSummary(
                    run: row["run"],
                    wells: row["wells"],
                    judged: row["judged"],
                    flagged: row["flagged"],
                    quarantined: row["quarantined"],
                    first: Timestamp(nanoseconds: row["first_ns"]),
                    lastSequence: row["last"]
                )
            }
        }
    }

    /// The runs of which the last frames were written since a moment.
    ///
    /// Looks at what was recorded since then, whatever the ledger's size.
    package func runs(writtenSince moment: Timestamp) throws(LedgerError) -> Set<String> {
        try read { database in
            var runs: Set<String> = []
            let rows = try Row.fetchCursor(
                database,
                sql:
                    "SELECT judged_ns, run, mtime_ns FROM frames WHERE state <> 'skipped' ORDER BY sequence DESC"
            )
            while let row = try rows.next() {
                let judged: Int64 = row["judged_ns"]
                guard judged >= moment.nanoseconds else { break }
                guard let run: String = row["run"], let modified: Int64 = row["mtime_ns"] else { continue }
                if modified >= moment.nanoseconds { runs.insert(run) }
            }
            return runs
        }
    }

    /// Which wells of a run count as faulty, after hysteresis; wells without a judged frame are left out.
    package func wellStates(of run: String) throws(LedgerError) -> [Well: Bool] {
        try read { database in
            let rows = try Row.fetchAll(
                database,
                sql:
                    "SELECT well, (SELECT well_faulty \(Self.inOrder) LIMIT 1) AS is_faulty FROM wells WHERE run = ?",
                arguments: [run]
            )
            return rows.reduce(into: [:]) { states, row in
                guard let well = Well(row["well"] as String), let isFaulty: Bool = row["is_faulty"] else {
                    return
                }
                states[well] = isFaulty
            }
        }
    }

    /// Place of the last outcome in the order of recording, 0 for none: whether there is news.
    package func lastSequence() throws(LedgerError) -> Int64 {
        try read { try Int64.fetchOne($0, sql: "SELECT max(sequence) FROM frames") ?? 0 }
    }

    /// Whether any frame of a run has an outcome.
    package func hasRun(_ run: String) throws(LedgerError) -> Bool {
        try read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM wells WHERE run = ?)", arguments: [run])
                ?? false
        }
    }

    /// How the wells of a run stand, row by row; with `after`, those with an outcome recorded later only.
    ///
    /// Four look-ups for each well, whatever the number of its frames.
    package func wells(of run: String, after sequence: Int64 = 0) throws(LedgerError) -> [WellSummary] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT wells.*, frames.frame, state, severity, threshold, cause, frames.reason, completed_ns, judged_ns,
                    (SELECT well_faulty \(Self.inOrder) LIMIT 1) AS is_faulty,
                    (SELECT sum(verdict = 'faulty') FROM (SELECT verdict \(Self.inOrder) LIMIT 3)) AS recent,
                    EXISTS (SELECT 1 FROM alarms WHERE alarms.run = wells.run AND alarms.well = wells.well
                        AND alarms.frame = frames.frame AND event = 'STALLED'
                        AND reason NOT LIKE '%whole run%') AS is_stalled
                    FROM wells JOIN frames ON sequence = last_sequence
                    WHERE wells.run = ? AND last_sequence > ?
                    """,
                arguments: [run, sequence]
            ).compactMap(wellSummary).sorted { $0.well < $1.well }
        }
    }

    private static let inOrder = """
        FROM frames AS latest WHERE latest.state = 'scored' AND latest.well_faulty IS NOT NULL
        AND latest.run = wells.run AND latest.well = wells.well ORDER BY latest.sequence DESC
        """

    private func wellSummary(_ row: Row) -> WellSummary? {
        guard let well = Well(row["well"] as String), let frame: Int = row["frame"],
            let state = FrameRecord.State(rawValue: row["state"])
        else { return nil }
        return WellSummary(
            well: well,
            judged: row["judged"],
            flagged: row["flagged"],
            quarantined: row["quarantined"],
            first: Timestamp(nanoseconds: row["first_ns"]),
            isFaulty: row["is_faulty"] ?? false,
            recentlyFaulty: row["recent"] ?? 0,
            isStalled: row["is_stalled"],
            last: WellSummary.Last(
                frame: frame,
                state: state,
                severity: row["severity"],
                threshold: row["threshold"],
                cause: row["cause"],
                reason: row["reason"],
                completed: (row["completed_ns"] as Int64?).map { Timestamp(nanoseconds: $0) },
                judged: Timestamp(nanoseconds: row["judged_ns"]),
                sequence: row["last_sequence"]
            )
        )
    }
}

/// How one well of a run stands: sums over its frames, and the frame recorded last.
package struct WellSummary: Sendable, Equatable {
    /// The well.
    package let well: Well
    /// Frames judged.
    package let judged: Int
    /// Of them, those judged faulty.
    package let flagged: Int
    /// Frames that could not be judged.
    package let quarantined: Int
    /// When the first outcome was decided.
    package let first: Timestamp
    /// Whether the well counts as faulty, after hysteresis.
    package let isFaulty: Bool
    /// Frames judged faulty among the last three that were judged in order.
    package let recentlyFaulty: Int
    /// Whether its frames stopped coming while those of other wells came.
    package let isStalled: Bool
    /// The frame recorded last.
    package let last: Last

    /// The frame that was recorded last.
    package struct Last: Sendable, Equatable {
        /// Its place in time.
        package let frame: Int
        /// How it ended.
        package let state: FrameRecord.State
        /// Distance from normal frames in their own spread.
        package let severity: Double?
        /// Severity above which a frame is faulty.
        package let threshold: Double?
        /// Probable cause.
        package let cause: String?
        /// Why it was not judged.
        package let reason: String?
        /// When the file was complete.
        package let completed: Timestamp?
        /// When the outcome was decided.
        package let judged: Timestamp
        /// Its place in the order of recording.
        package let sequence: Int64
    }
}

extension FrameLedger {
    /// The last `count` judged frames of a well, oldest first, whether it counts as faulty after the last of them, and that
    /// frame's place in time; empty and normal for a new well.
    ///
    /// Frames that were judged after newer ones are no part of it.
    package func history(of well: Well, run: String, count: Int) throws(LedgerError)
        -> (frames: [PastFrame], isFaulty: Bool, newest: PlaceInTime?)
    {
        precondition(count > 0, "a history of \(count) frames")
        return try read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT verdict, severity, score_max, score_mean, score_patch, well_faulty, frame, mtime_ns,
                        evidence
                    FROM frames
                    WHERE state = 'scored' AND well_faulty IS NOT NULL AND run = ? AND well = ?
                    ORDER BY sequence DESC LIMIT ?
                    """,
                arguments: [run, well.description, count]
            )
            return (
                frames: rows.reversed().compactMap(pastFrame),
                isFaulty: rows.first?["well_faulty"] ?? false,
                newest: rows.first.flatMap(newest)
            )
        }
    }

    private func pastFrame(_ row: Row) -> PastFrame? {
        guard let verdict = (row["verdict"] as String?).flatMap(Verdict.init(rawValue:)),
            let index: Int = row["frame"]
        else {
            return nil
        }
        return PastFrame(
            index: index,
            verdict: verdict,
            severity: row["severity"] ?? .nan,
            scores: ImageScores(
                maximum: row["score_max"] ?? .nan,
                mean: row["score_mean"] ?? .nan,
                patch: row["score_patch"] ?? .nan
            ),
            evidence: row["evidence"]
        )
    }

    /// The severities of the first `count` frames of a well that were judged in order, in the order of recording.
    package func firstSeverities(
        of well: Well,
        run: String,
        model: String,
        count: Int
    ) throws(LedgerError) -> [Double] {
        try read { database in
            try Double?.fetchAll(
                database,
                sql: """
                    SELECT severity FROM frames
                    WHERE state = 'scored' AND well_faulty IS NOT NULL AND run = ? AND well = ? AND model = ?
                    ORDER BY sequence LIMIT ?
                    """,
                arguments: [run, well.description, model, count]
            ).compactMap(\.self)
        }
    }

    /// How a normal frame of a well looked.
    package struct PastLook: Sendable {
        /// `Judgement.appearance`.
        package let appearance: [Float]
        /// What each term added to the severity.
        package let terms: [SeverityContribution]
        /// How far it was from the frames before it.
        package let change: Double?
        /// The evidence for a fault up to it.
        package let evidence: Double?
    }

    /// How a well's normal frames looked that were judged in order by a model: the last `count`, oldest first.
    package func appearances(
        of well: Well,
        run: String,
        model: String,
        count: Int
    ) throws(LedgerError) -> [PastLook] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT appearance, terms, change, evidence FROM frames
                    WHERE state = 'scored' AND well_faulty IS NOT NULL AND run = ? AND well = ? AND model = ?
                    AND verdict = 'normal' AND appearance IS NOT NULL
                    ORDER BY sequence DESC LIMIT ?
                    """,
                arguments: [run, well.description, model, count]
            ).reversed().map { row in
                PastLook(
                    appearance: [Float](packed: row["appearance"] as Data),
                    terms: (row["terms"] as String?).map { TermsText.read($0) } ?? [],
                    change: row["change"],
                    evidence: row["evidence"]
                )
            }
        }
    }

    private func newest(_ row: Row) -> PlaceInTime? {
        guard let index: Int = row["frame"], let modified: Int64 = row["mtime_ns"] else { return nil }
        return PlaceInTime(index: index, modified: Timestamp(nanoseconds: modified))
    }
}
