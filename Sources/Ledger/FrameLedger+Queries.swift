import Foundation
import GRDB
package import Plate

extension FrameLedger {
    /// What the last judged frames of a well say.
    package struct WellHistory: Sendable, Equatable {
        /// The frames, oldest first.
        package let frames: [Judged]
        /// Whether the well counts as faulty after the last of them.
        package let isFaulty: Bool
        /// The last of them; `nil` for a new well.
        package let newest: Newest?

        /// A judged frame of the past.
        package struct Judged: Sendable, Equatable {
            /// Its place in time.
            package let index: Int
            /// Normal or faulty.
            package let verdict: Verdict
            /// Distance from normal frames in their own spread.
            package let severity: Double
            /// The image scores; the same for the same image, and for no other.
            package let scores: ImageScores

            /// Gathers a frame.
            package init(index: Int, verdict: Verdict, severity: Double, scores: ImageScores) {
                (self.index, self.verdict, self.severity, self.scores) = (index, verdict, severity, scores)
            }
        }

        /// The verdicts, oldest first.
        package var verdicts: [Verdict] { frames.map(\.verdict) }

        /// The frame that a well's state goes by.
        package struct Newest: Sendable, Equatable {
            /// Its place in time, as its name says.
            package let index: Int
            /// When its file was written.
            package let modified: Timestamp

            /// Gathers the two.
            package init(index: Int, modified: Timestamp) {
                self.index = index
                self.modified = modified
            }
        }

        /// Gathers a history.
        package init(frames: [Judged], isFaulty: Bool, newest: Newest?) {
            self.frames = frames
            self.isFaulty = isFaulty
            self.newest = newest
        }
    }

    /// Tells which of these files have an outcome for every page with just this content; their pages do not matter.
    ///
    /// About 10 us a file, whatever the ledger's size; ask for some hundreds at once.
    package func settled(_ files: [FrameSource]) throws(LedgerError) -> Set<FrameSource> {
        try read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT count(*), max(pages) FROM frames
                    WHERE root = (SELECT id FROM roots WHERE path = ?) AND path = ?
                    AND device = ? AND inode = ? AND size = ? AND mtime_ns = ?
                    """
            )
            return try Set(
                files.filter { file in
                    let row = try Row.fetchOne(statement, arguments: Self.arguments(of: file))
                    guard let row, let pages: Int = row[1] else { return false }
                    return row[0] >= pages
                }
            )
        }
    }

    /// Hands over every file that has an outcome for every page, with the frame that its name says, in the order in which
    /// they were recorded first, and movies behind them.
    ///
    /// One pass over the rows as they lie, much faster than asking for each file by `settled`.
    package func forEachSettled(_ body: (FileIdentity, FrameID) -> Void) throws(LedgerError) {
        try read { database in
            var movies: [Movie: MoviePages] = [:]
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT device, inode, size, mtime_ns, run, well, frame, pages, root, path
                    FROM frames ORDER BY id
                    """
            )
            while let row = try rows.next() {
                guard let (identity, frame) = file(row) else { continue }
                let pages: Int = row[7]
                if pages == 1 {
                    body(identity, frame)
                } else {
                    let movie = Movie(root: row[8], path: row[9], identity: identity)
                    movies[movie, default: MoviePages(first: frame)].take(frame, of: pages)
                }
            }
            for (movie, pages) in movies where pages.isComplete { body(movie.identity, pages.first) }
        }
    }

    private struct Movie: Hashable {
        let root: Int64
        let path: String
        let identity: FileIdentity
    }

    /// Which pages of a movie have an outcome.
    private struct MoviePages {
        var first: FrameID
        private var count = 0
        private var all = 0

        init(first: FrameID) { self.first = first }

        var isComplete: Bool { count >= all }

        mutating func take(_ frame: FrameID, of pages: Int) {
            first = min(first, frame)
            count += 1
            all = max(all, pages)
        }
    }

    private func file(_ row: Row) -> (FileIdentity, FrameID)? {
        guard let device: Int64 = row[0], let inode: Int64 = row[1], let size: Int64 = row[2],
            let modified: Int64 = row[3], let run: String = row[4],
            let well = (row[5] as String?).flatMap({ Well($0) }), let index: Int = row[6]
        else { return nil }
        let identity = FileIdentity(
            device: UInt64(bitPattern: device),
            inode: UInt64(bitPattern: inode),
            size: size,
            modified: Timestamp(nanoseconds: modified)
        )
        return (identity, FrameID(run: run, well: well, index: index))
    }

    /// The pages of a file that have an outcome with just this content.
    package func settledPages(of file: FrameSource) throws(LedgerError) -> Set<Int> {
        try read { database in
            try Set(
                Int.fetchAll(
                    database,
                    sql: """
                        SELECT page FROM frames
                        WHERE root = (SELECT id FROM roots WHERE path = ?) AND path = ?
                        AND device = ? AND inode = ? AND size = ? AND mtime_ns = ?
                        """,
                    arguments: Self.arguments(of: file)
                )
            )
        }
    }

    private static func arguments(of file: FrameSource) -> StatementArguments {
        // Without a content nothing is equal to it.
        [
            file.root, file.path, file.identity.map { Int64(bitPattern: $0.device) },
            file.identity.map { Int64(bitPattern: $0.inode) }, file.identity?.size,
            file.identity?.modified.nanoseconds,
        ]
    }

    /// The row of one page of a file, whatever content it had.
    package func record(at place: FrameSource.Place) throws(LedgerError) -> FrameRecord? {
        try read { database in
            let row = try Row.fetchOne(
                database,
                sql: "\(FrameRow.selection) WHERE roots.path = ? AND frames.path = ? AND page = ?",
                arguments: [place.root, place.path, place.page]
            )
            return try row.map(FrameRow.record(from:))
        }
    }

    /// The rows whose names say this frame, in the order of their recording: two files can name the same one.
    package func records(of frame: FrameID) throws(LedgerError) -> [FrameRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: "\(FrameRow.selection) WHERE run = ? AND well = ? AND frame = ? ORDER BY sequence",
                arguments: [frame.run, frame.well.description, frame.index]
            ).map(FrameRow.record(from:))
        }
    }

    /// The last `count` judged frames of a well and the state they left it in; empty and normal for a new well.
    ///
    /// Frames that were judged after newer ones are no part of it.
    package func history(of well: Well, run: String, count: Int) throws(LedgerError) -> WellHistory {
        precondition(count > 0, "a history of \(count) frames")
        return try read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT verdict, severity, score_max, score_mean, score_patch, well_faulty, frame, mtime_ns
                    FROM frames
                    WHERE state = 'scored' AND well_faulty IS NOT NULL AND run = ? AND well = ?
                    ORDER BY sequence DESC LIMIT ?
                    """,
                arguments: [run, well.description, count]
            )
            return WellHistory(
                frames: rows.reversed().compactMap(judged),
                isFaulty: rows.first?["well_faulty"] ?? false,
                newest: rows.first.flatMap(newest)
            )
        }
    }

    private func judged(_ row: Row) -> WellHistory.Judged? {
        guard let verdict = (row["verdict"] as String?).flatMap(Verdict.init(rawValue:)),
            let index: Int = row["frame"]
        else {
            return nil
        }
        return WellHistory.Judged(
            index: index,
            verdict: verdict,
            severity: row["severity"] ?? .nan,
            scores: ImageScores(
                maximum: row["score_max"] ?? .nan,
                mean: row["score_mean"] ?? .nan,
                patch: row["score_patch"] ?? .nan
            )
        )
    }

    /// The severities of the first `count` frames of a well that were judged in turn, in the order of recording.
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

    /// How a well's normal frames looked that were judged in turn by a model: the last `count`, oldest first, each with how
    /// far it was from those before it.
    package func appearances(
        of well: Well,
        run: String,
        model: String,
        count: Int
    ) throws(LedgerError) -> [(appearance: [Float], change: Double?)] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT appearance, change FROM frames
                    WHERE state = 'scored' AND well_faulty IS NOT NULL AND run = ? AND well = ? AND model = ?
                    AND verdict = 'normal' AND appearance IS NOT NULL
                    ORDER BY sequence DESC LIMIT ?
                    """,
                arguments: [run, well.description, model, count]
            ).reversed().map { ([Float](packed: $0["appearance"] as Data), $0["change"]) }
        }
    }

    private func newest(_ row: Row) -> WellHistory.Newest? {
        guard let index: Int = row["frame"], let modified: Int64 = row["mtime_ns"] else { return nil }
        return WellHistory.Newest(index: index, modified: Timestamp(nanoseconds: modified))
    }

    /// How many rows are in each state, over all runs or in one.
    package func counts(run: String? = nil) throws(LedgerError) -> [FrameRecord.State: Int] {
        try read { database in
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT state, count(*) FROM frames WHERE ? IS NULL OR run = ? GROUP BY state",
                arguments: [run, run]
            )
            return rows.reduce(into: [:]) { counts, row in
                guard let state = FrameRecord.State(rawValue: row[0]) else { return }
                counts[state] = row[1]
            }
        }
    }

    /// Hands over every row in the order of recording, one at a time, so that no count of rows fills memory.
    package func forEach(_ body: (FrameRecord) throws -> Void) throws(LedgerError) {
        try read { database in
            let rows = try Row.fetchCursor(database, sql: "\(FrameRow.selection) ORDER BY sequence")
            while let row = try rows.next() { try body(FrameRow.record(from: row)) }
        }
    }
}
