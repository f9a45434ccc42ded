import Foundation
import GRDB
package import Plate

extension FrameLedger {
    /// The last `count` judged frames of one view of a well, oldest first, whether it counts as faulty after the last of them, and that
    /// frame's place in time; empty and normal for a new well.
    ///
    /// Frames that were judged after newer ones are no part of it. Nor are the newest ones if they are among `turns`, of frames that
    /// are judged again and take their old place.
    package func history(
        of well: Well,
        view: FrameView = .only,
        run: String,
        count: Int,
        without turns: Set<Int64> = []
    ) throws(LedgerError) -> History {
        precondition(count > 0, "a history of \(count) frames")
        return try read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT verdict, severity, threshold, score_max, score_mean, score_patch, well_faulty, frame, mtime_ns,
                        evidence, turn
                    FROM frames WHERE turn IS NOT NULL AND run = ? AND well = ? AND view = ?
                    ORDER BY turn DESC LIMIT ?
                    """,
                arguments: [run, well.description, view.description, count + turns.count]
            )
            let replaced = rows.prefix { turns.contains($0["turn"]) }
            let before = rows.dropFirst(replaced.count).prefix(count)
            return History(
                frames: before.reversed().compactMap(pastFrame),
                isFaulty: before.first?["well_faulty"] ?? false,
                newest: before.first.flatMap(newest),
                end: replaced.last?["turn"],
                wasFaulty: rows.first?["well_faulty"] ?? false
            )
        }
    }

    /// The last judged frames of a view of a well.
    package struct History: Sendable {
        /// Oldest first.
        package let frames: [PastFrame]
        /// Whether the well counts as faulty after the last of them.
        package let isFaulty: Bool
        /// The last one's place in time; `nil` for a new well.
        package let newest: PlaceInTime?
        /// The first turn of the frames that are judged again and left out; `nil` where there are none.
        package let end: Int64?
        /// Whether the well counts as faulty with those that are left out.
        package let wasFaulty: Bool
    }

    private func pastFrame(_ row: Row) -> PastFrame? {
        guard let verdict = (row["verdict"] as String?).flatMap(Verdict.init(rawValue:)),
            let index: Int = row["frame"], FrameID.indices.contains(index)
        else {
            return nil
        }
        return PastFrame(
            index: index,
            verdict: verdict,
            severity: row["severity"] ?? .nan,
            threshold: row["threshold"] ?? .nan,
            scores: ImageScores(
                maximum: row["score_max"] ?? .nan,
                mean: row["score_mean"] ?? .nan,
                patch: row["score_patch"] ?? .nan
            ),
            evidence: row["evidence"]
        )
    }

    /// Severity divided by threshold of the last `count` judged frames of each well of a run, oldest first; of a well with views, those
    /// of its first one.
    package func recentSeverities(of run: String, count: Int) throws(LedgerError) -> [Well: [Double]] {
        try read { database in
            let wells = try String.fetchAll(
                database,
                sql: "SELECT DISTINCT well FROM series WHERE run = ?",
                arguments: [run]
            )
            let statement = try database.cachedStatement(
                sql: """
                    SELECT severity / threshold FROM frames WHERE turn IS NOT NULL AND run = ?1 AND well = ?2
                    AND view = (SELECT min(view) FROM series WHERE run = ?1 AND well = ?2) ORDER BY turn DESC LIMIT ?3
                    """
            )
            return try wells.reduce(into: [:]) { curves, name in
                guard let well = Well(name) else { return }
                let ratios = try Double?.fetchAll(statement, arguments: [run, name, count])
                curves[well] = ratios.compactMap(\.self).reversed()
            }
        }
    }

    /// The severities of the first `count` frames of one view of a well that were judged in order, in the order of recording.
    package func firstSeverities(
        of well: Well,
        view: FrameView = .only,
        run: String,
        model: String,
        count: Int,
        before turn: Int64? = nil
    ) throws(LedgerError) -> [Double] {
        try read { database in
            try Double?.fetchAll(
                database,
                sql: """
                    SELECT severity FROM frames
                    WHERE turn IS NOT NULL AND turn < ? AND run = ? AND well = ? AND view = ? AND model = ?
                    ORDER BY turn LIMIT ?
                    """,
                arguments: [turn ?? .max, run, well.description, view.description, model, count]
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
        /// The size of what was new in it.
        package let arrival: Double?
    }

    /// How the normal frames of one view of a well looked that were judged in order by a model: the last `count`, oldest first.
    package func appearances(
        of well: Well,
        view: FrameView = .only,
        run: String,
        model: String,
        count: Int,
        before turn: Int64? = nil
    ) throws(LedgerError) -> [PastLook] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT appearance, terms, change, evidence, arrival FROM frames
                    WHERE turn IS NOT NULL AND turn < ? AND run = ? AND well = ? AND view = ? AND model = ?
                    AND verdict = 'normal' AND appearance IS NOT NULL
                    ORDER BY turn DESC LIMIT ?
                    """,
                arguments: [turn ?? .max, run, well.description, view.description, model, count]
            ).reversed().map { row in
                PastLook(
                    appearance: [Float](packed: row["appearance"] as Data),
                    terms: (row["terms"] as String?).map { TermsText.read($0) } ?? [],
                    change: row["change"],
                    evidence: row["evidence"],
                    arrival: row["arrival"]
                )
            }
        }
    }

    private func newest(_ row: Row) -> PlaceInTime? {
        guard let index: Int = row["frame"], FrameID.indices.contains(index),
            let modified: Int64 = row["mtime_ns"]
        else { return nil }
        return PlaceInTime(index: index, modified: Timestamp(nanoseconds: modified))
    }
}
