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
                    SELECT run, count(DISTINCT well) AS wells, sum(judged) AS judged, sum(flagged) AS flagged,
                    sum(quarantined) AS quarantined, min(first_ns) AS first_ns, max(last_sequence) AS last
                    FROM series GROUP BY run ORDER BY last DESC
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

    /// How the views of each well of a run stand after their last judged frame.
    ///
    /// Wells without a judged frame are left out.
    package func standings(of run: String) throws(LedgerError) -> [Well: [ViewStanding]] {
        try read { database in
            let rows = try Row.fetchAll(
                database,
                sql:
                    "SELECT series.well, \(Self.standing) FROM series \(Self.joinedWithLast) WHERE series.run = ?",
                arguments: [run]
            )
            return rows.reduce(into: [:]) { standings, row in
                guard let well = Well(row["well"] as String), let standing = Self.standing(row) else {
                    return
                }
                standings[well, default: []].append(standing)
            }
        }
    }

    /// Place of the last outcome in the order of recording, 0 for none: whether there is news.
    package func lastSequence() throws(LedgerError) -> Int64 {
        try read { try Int64.fetchOne($0, sql: "SELECT max(sequence) FROM frames") ?? 0 }
    }

    /// When the latest of the files was complete that were recorded last; `nil` for none.
    package func lastFrame() throws(LedgerError) -> Timestamp? {
        try read { database in
            let last = "SELECT completed_ns FROM frames ORDER BY sequence DESC LIMIT 256"
            let time = try Int64.fetchOne(database, sql: "SELECT max(completed_ns) FROM (\(last))")
            return time.map { Timestamp(nanoseconds: $0) }
        }
    }

    /// The highest index among the frames of a run that were recorded last in each view; 0 for none.
    package func lastFrame(of run: String) throws(LedgerError) -> Int {
        try read { database in
            let last = try Int.fetchOne(
                database,
                sql:
                    "SELECT max(frame) FROM series JOIN frames ON sequence = last_sequence WHERE series.run = ?",
                arguments: [run]
            )
            return last.map { min(max($0, FrameID.indices.lowerBound), FrameID.indices.upperBound) } ?? 0
        }
    }

    /// Whether any frame of a run has an outcome.
    package func hasRun(_ run: String) throws(LedgerError) -> Bool {
        try read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM series WHERE run = ?)", arguments: [run])
                ?? false
        }
    }

    /// How the wells of a run stand, row by row; with `after`, those with an outcome recorded later only.
    ///
    /// Five look-ups for each view of a well, whatever the number of its frames.
    package func wells(of run: String, after sequence: Int64 = 0) throws(LedgerError) -> [WellSummary] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT series.*, frames.frame, frames.state, frames.severity, frames.threshold, frames.terms,
                    frames.cause, frames.reason, frames.completed_ns, frames.judged_ns, \(Self.standing),
                    (SELECT sum(verdict = 'faulty') FROM (SELECT verdict \(Self.inOrder) LIMIT 3)) AS recent,
                    EXISTS (SELECT 1 FROM alarms WHERE alarms.run = series.run AND alarms.well = series.well
                        AND alarms.view = series.view AND event = 'ONSET') AS was_faulty,
                    EXISTS (SELECT 1 FROM alarms WHERE alarms.run = series.run AND alarms.well = series.well
                        AND alarms.frame = frames.frame AND event = 'STALLED'
                        AND reason NOT LIKE '%whole run%') AS is_stalled
                    FROM series JOIN frames ON frames.sequence = last_sequence \(Self.joinedWithLast)
                    WHERE series.run = ?1
                    AND series.well IN (SELECT well FROM series WHERE run = ?1 AND last_sequence > ?2)
                    """,
                arguments: [run, sequence]
            ).compactMap(wellSummary).reduce(into: [Well: WellSummary]()) { wells, view in
                wells[view.well] = wells[view.well].map { $0.merged(with: view) } ?? view
            }.values.sorted { $0.well < $1.well }
        }
    }

    /// The views of a well that have frames with an outcome, in order.
    package func views(of well: Well, run: String) throws(LedgerError) -> [FrameView] {
        try read { database in
            try String.fetchAll(
                database,
                sql: "SELECT view FROM series WHERE run = ? AND well = ?",
                arguments: [run, well.description]
            ).compactMap { FrameView($0) }.sorted()
        }
    }

    private static let inOrder = """
        FROM frames AS latest WHERE latest.turn IS NOT NULL
        AND latest.run = series.run AND latest.well = series.well AND latest.view = series.view ORDER BY latest.turn DESC
        """
    /// The frame of a view that was judged in order last.
    private static let joinedWithLast =
        "LEFT JOIN frames AS newest ON newest.id = (SELECT id \(inOrder) LIMIT 1)"
    private static let standing =
        "newest.well_faulty AS is_faulty, newest.verdict AS last_verdict, newest.evidence AS last_evidence"

    /// `nil` for a view without a judged frame.
    private static func standing(_ row: Row) -> ViewStanding? {
        guard let isFaulty: Bool = row["is_faulty"] else { return nil }
        return ViewStanding(
            isFaulty: isFaulty,
            passes: (row["last_verdict"] as String?) == Verdict.normal.rawValue,
            evidence: row["last_evidence"] ?? 0
        )
    }

    /// A number of frames as any ledger can have it, so that sums over wells are whole numbers, too.
    private static func count(_ value: Int) -> Int { min(max(value, 0), 1 << 40) }

    private func wellSummary(_ row: Row) -> WellSummary? {
        guard let well = Well(row["well"] as String), let view = FrameView(row["view"] as String),
            let frame: Int = row["frame"], FrameID.indices.contains(frame),
            let state = FrameRecord.State(rawValue: row["state"])
        else { return nil }
        return WellSummary(
            well: well,
            judged: Self.count(row["judged"]),
            flagged: Self.count(row["flagged"]),
            quarantined: Self.count(row["quarantined"]),
            first: Timestamp(nanoseconds: row["first_ns"]),
            standings: Self.standing(row).map { [$0] } ?? [],
            wasFaulty: row["was_faulty"],
            recentlyFaulty: row["recent"] ?? 0,
            isStalled: row["is_stalled"],
            last: WellSummary.Last(
                view: view,
                frame: frame,
                state: state,
                severity: row["severity"],
                threshold: row["threshold"],
                terms: (row["terms"] as String?).map { TermsText.read($0) } ?? [],
                cause: row["cause"],
                reason: row["reason"],
                completed: (row["completed_ns"] as Int64?).map { Timestamp(nanoseconds: $0) },
                judged: Timestamp(nanoseconds: row["judged_ns"]),
                sequence: row["last_sequence"]
            )
        )
    }
}

/// How one well of a run stands: sums over the frames of all its views, and the frame recorded last.
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
    /// How its views stand after their last judged frame.
    package let standings: [ViewStanding]
    /// Whether it turned faulty in this run.
    package let wasFaulty: Bool
    /// Frames judged faulty among the last three of a view that were judged in order; of the worst view.
    package let recentlyFaulty: Int
    /// Whether its frames stopped coming while those of other wells came.
    package let isStalled: Bool
    /// The frame recorded last.
    package let last: Last

    /// The sums over two views of the same well.
    fileprivate func merged(with other: WellSummary) -> WellSummary {
        let latest = last.sequence > other.last.sequence ? self : other
        return WellSummary(
            well: well,
            judged: judged + other.judged,
            flagged: flagged + other.flagged,
            quarantined: quarantined + other.quarantined,
            first: min(first, other.first),
            standings: standings + other.standings,
            wasFaulty: wasFaulty || other.wasFaulty,
            recentlyFaulty: max(recentlyFaulty, other.recentlyFaulty),
            isStalled: latest.isStalled,
            last: latest.last
        )
    }

    /// The frame that was recorded last.
    package struct Last: Sendable, Equatable {
        /// What it shows of the well.
        package let view: FrameView
        /// Its place in time.
        package let frame: Int
        /// How it ended.
        package let state: FrameRecord.State
        /// Distance from normal frames in their own spread.
        package let severity: Double?
        /// Severity above which a frame is faulty.
        package let threshold: Double?
        /// What each term added to the severity.
        package let terms: [SeverityContribution]
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
