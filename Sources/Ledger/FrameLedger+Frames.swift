import GRDB
import Logging
package import Plate
import Synchronization

extension FrameLedger {
    /// Tells which of these files have an outcome for every page with just this content; their pages do not matter.
    ///
    /// About 10 us a file, whatever the ledger's size; ask for some hundreds at once.
    package func settled(_ files: [FrameSource]) throws(LedgerError) -> Set<FrameSource> {
        try read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT count(*), max(pages) FROM frames
                    WHERE root = (SELECT id FROM roots WHERE path = ?) AND path = ?
                    AND inode = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ?
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
    package func forEachSettled(_ body: (FrameSource, FrameID) -> Void) throws(LedgerError) {
        try read { database in
            let pairs = try Row.fetchAll(database, sql: "SELECT id, path FROM roots")
            let roots = pairs.reduce(into: [Int64: String]()) { $0[$1[0]] = $1[1] }
            var movies: [Movie: MoviePages] = [:]
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT inode, size, mtime_ns, ctime_ns, run, well, view, frame, pages, root, path
                    FROM frames ORDER BY id
                    """
            )
            while let row = try rows.next() {
                guard let (identity, frame) = file(row), let root = roots[row[9]] else { continue }
                let pages: Int = row[8]
                if pages == 1 {
                    body(FrameSource(root: root, path: row[10], identity: identity), frame)
                } else {
                    let movie = Movie(root: root, path: ExactPath(row[10]), identity: identity)
                    movies[movie, default: MoviePages(first: frame)].add(frame, of: pages)
                }
            }
            for (movie, pages) in movies where pages.isComplete { body(movie.source, pages.first) }
        }
    }

    private struct Movie: Hashable {
        let root: String
        let path: ExactPath
        let identity: FileIdentity

        var source: FrameSource { FrameSource(root: root, path: path.text, identity: identity) }
    }

    /// Which pages of a movie have an outcome.
    private struct MoviePages {
        var first: FrameID
        private var count = 0
        private var all = 0

        init(first: FrameID) { self.first = first }

        var isComplete: Bool { count >= all }

        mutating func add(_ frame: FrameID, of pages: Int) {
            first = min(first, frame)
            count += 1
            all = max(all, pages)
        }
    }

    private func file(_ row: Row) -> (FileIdentity, FrameID)? {
        guard let inode: Int64 = row[0], let size: Int64 = row[1], let modified: Int64 = row[2],
            let changed: Int64 = row[3], let run: String = row[4],
            let well = (row[5] as String?).flatMap({ Well($0) }),
            let view = FrameView((row[6] as String?) ?? ""), let index: Int = row[7],
            FrameID.indices.contains(index)
        else { return nil }
        let identity = FileIdentity(
            inode: UInt64(bitPattern: inode),
            size: size,
            modified: Timestamp(nanoseconds: modified),
            changed: Timestamp(nanoseconds: changed)
        )
        return (identity, FrameID(run: run, well: well, view: view, index: index))
    }

    /// A page of a file that has an outcome.
    package struct KnownPage: Sendable, Equatable {
        /// Counted from 0.
        package let page: Int
        /// Whether the file looked just so, by its identity.
        package let isCurrent: Bool
        /// What the page held; `nil` for one that could not be read.
        package let digest: PageDigest?
        /// Frames of the file, as far as was known then.
        package let pages: Int

        /// Gathers a page.
        package init(page: Int, isCurrent: Bool, digest: PageDigest?, pages: Int) {
            (self.page, self.isCurrent, self.digest, self.pages) = (page, isCurrent, digest, pages)
        }
    }

    /// The pages of a file that have an outcome, with this or an earlier content.
    package func knownPages(of file: FrameSource) throws(LedgerError) -> [KnownPage] {
        try read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT page, pixels, stored, pages, inode = ?3 AND size = ?4 AND mtime_ns = ?5 AND ctime_ns = ?6
                    FROM frames WHERE root = (SELECT id FROM roots WHERE path = ?1) AND path = ?2
                    """
            )
            return try Row.fetchAll(statement, arguments: Self.arguments(of: file)).map { row in
                KnownPage(
                    page: row[0],
                    isCurrent: row[4] ?? false,
                    digest: FrameRow.digest(row[1], row[2]),
                    pages: row[3]
                )
            }
        }
    }

    /// Notes that pages of a file keep their outcomes, as they hold the same as before, and how many frames the file has.
    package func keep(_ pages: some Collection<Int>, of file: FrameSource, frames: Int) throws(LedgerError) {
        guard !pages.isEmpty else { return }
        try write { database in
            for page in pages {
                try database.execute(
                    sql: """
                        UPDATE frames SET inode = ?3, size = ?4, mtime_ns = ?5, ctime_ns = ?6, pages = ?7
                        WHERE root = (SELECT id FROM roots WHERE path = ?1) AND path = ?2 AND page = ?8
                        """,
                    arguments: Self.arguments(of: file) + [frames, page]
                )
            }
            try Self.settlePending(file, root: Self.root(file.root, in: database), in: database)
        }
    }

    private static func arguments(of file: FrameSource) -> StatementArguments {
        // Without a content nothing is equal to it.
        [
            file.root, file.path, file.identity.map { Int64(bitPattern: $0.inode) }, file.identity?.size,
            file.identity?.modified.nanoseconds, file.identity?.changed.nanoseconds,
        ]
    }

    /// The rows whose names say this frame, in the order of their recording: two files can name the same one.
    ///
    /// Rows that make no sense are passed over, with a warning.
    package func records(of frame: FrameID) throws(LedgerError) -> [FrameRecord] {
        try read { database in
            try Row.fetchAll(
                database,
                sql:
                    "\(FrameRow.selection) WHERE run = ? AND well = ? AND view = ? AND frame = ? ORDER BY sequence",
                arguments: [frame.run, frame.well.description, frame.view.description, frame.index]
            ).compactMap(sensibleRecord)
        }
    }

    /// The pages that name this frame and count for the well's state, with their place in the order in which the well's frames
    /// were judged first.
    package func turns(of frame: FrameID) throws(LedgerError) -> [FrameSource.Place: Int64] {
        try read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT roots.path AS root_path, frames.path, page, turn FROM frames JOIN roots ON roots.id = root
                    WHERE run = ? AND well = ? AND view = ? AND frame = ? AND turn IS NOT NULL
                    """,
                arguments: [frame.run, frame.well.description, frame.view.description, frame.index]
            )
            return rows.reduce(into: [:]) { turns, row in
                let source = FrameSource(root: row["root_path"], path: row["path"], page: row["page"])
                turns[source.place] = row["turn"]
            }
        }
    }

    /// The row at a place in the order of recording; `nil` where the frame was recorded again meanwhile.
    package func record(sequence: Int64) throws(LedgerError) -> FrameRecord? {
        try read { database in
            try Row.fetchOne(
                database,
                sql: "\(FrameRow.selection) WHERE sequence = ?",
                arguments: [sequence]
            ).map(FrameRow.record(from:))
        }
    }

    /// Whether a mask of a run belongs to another page than this one.
    package func hasMask(_ path: String, run: String, besides place: FrameSource.Place) throws(LedgerError)
        -> Bool
    {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT roots.path, frames.path, page FROM frames JOIN roots ON roots.id = root
                    WHERE run = ? AND mask = ?
                    """,
                arguments: [run, path]
            ).contains { row in
                ExactPath(row[0]) != place.root || ExactPath(row[1]) != place.path || row[2] != place.page
            }
        }
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

    /// A row; `nil`, with a warning the first time, for one that makes no sense.
    ///
    /// One such row must not stop the judging.
    private func sensibleRecord(_ row: Row) -> FrameRecord? {
        do {
            return try FrameRow.record(from: row)
        } catch {
            let sentence = (error as? DatabaseError)?.message ?? "\(error)"
            if warned.withLock({ $0.insert(sentence).inserted }) {
                Logger(label: "autoqc.ledger").warning(
                    "A row of the ledger makes no sense and is passed over",
                    metadata: ["reason": "\(sentence)"]
                )
            }
            return nil
        }
    }

    /// Hands over every row in the order of recording, one at a time, so that no count of rows fills memory.
    ///
    /// A row that makes no sense is an error that names it.
    package func forEach(_ body: (FrameRecord) throws -> Void) throws(LedgerError) {
        try read { database in
            let rows = try Row.fetchCursor(database, sql: "\(FrameRow.selection) ORDER BY sequence")
            while let row = try rows.next() { try body(FrameRow.record(from: row)) }
        }
    }

    /// Frames among the last outcomes that this model judged normal in a normal well; the latest first.
    package func recentNormalFrames(model: String, within outcomes: Int = 4096) throws(LedgerError)
        -> [LocatedFrame]
    {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    \(FrameRow.sourceSelection)
                    WHERE sequence > (SELECT max(sequence) FROM frames) - ? AND state = 'scored'
                    AND verdict = 'normal' AND well_faulty = 0 AND model = ?
                    ORDER BY sequence DESC
                    """,
                arguments: [outcomes, model]
            ).compactMap { row in
                guard let frame = FrameRow.frame(from: row), let source = FrameRow.source(from: row) else {
                    return nil
                }
                return LocatedFrame(source: source, frame: frame)
            }
        }
    }

    /// Files with one frame, their first page, that was judged normal in a normal well: some of them, spread evenly over wells and time, and the
    /// same ones each time.
    package func normalFiles(atMost most: Int) throws(LedgerError) -> [FrameSource] {
        precondition(most > 0, "\(most) files")
        return try read { database in
            let normal =
                "state = 'scored' AND verdict = 'normal' AND well_faulty = 0 AND pages = 1 AND page = 0"
            let all = try Int.fetchOne(database, sql: "SELECT count(*) FROM frames WHERE \(normal)") ?? 0
            // Wells are recorded one after another: every n-th frame could be of one well. Knuth's multiplier scatters them.
            let share = min(1, Double(most) / Double(max(all, 1)))
            return try Row.fetchAll(
                database,
                sql: """
                    \(FrameRow.sourceSelection)
                    WHERE \(normal) AND (sequence * 2654435761) % 4294967296 < ? ORDER BY sequence LIMIT ?
                    """,
                arguments: [Int64(share * 4_294_967_296), most]
            ).compactMap(FrameRow.source(from:))
        }
    }

    /// Which frames of a well are asked for.
    package struct Selection: Sendable, Equatable {
        /// Frames before this one only.
        package var before: Int?
        /// Frames from this one on only.
        package var from: Int?
        /// Frames of this view only; `nil` for all.
        package var view: FrameView?
        /// Flagged frames only.
        package var flaggedOnly: Bool
        /// So many at most.
        package var limit: Int

        /// Selects the last frames of a well.
        package init(limit: Int = .max, view: FrameView? = nil, flaggedOnly: Bool = false) {
            (self.limit, self.view, self.flaggedOnly) = (limit, view, flaggedOnly)
        }
    }

    /// Hands over the frames of one view of a well in the order of time; of files that name the same frame, each.
    package func forEachPoint(
        of well: Well,
        view: FrameView = .only,
        run: String,
        _ body: (SeriesPoint) throws -> Void
    ) throws(LedgerError) {
        try read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT frame, state, severity, threshold, verdict, well_faulty,
                        verdict = 'normal' AND severity > suspect_limit AS suspect,
                        sequence, cause, evidence, completed_ns, mtime_ns
                    FROM frames
                    WHERE run = ? AND well = ? AND view = ? AND state <> 'skipped' ORDER BY frame, sequence
                    """,
                arguments: [run, well.description, view.description]
            )
            while let row = try rows.next() {
                guard let frame: Int = row[0], FrameID.indices.contains(frame),
                    let state = FrameRecord.State(rawValue: row[1])
                else {
                    continue
                }
                let point = SeriesPoint(
                    frame: frame,
                    state: state,
                    severity: row[2],
                    threshold: row[3],
                    // A frame that could not be judged has no verdict.
                    isFaulty: (row[4] as String?) == Verdict.faulty.rawValue,
                    isSuspect: row[6] ?? false,
                    wellIsFaulty: row[5],
                    cause: row[8],
                    evidence: row[9],
                    completed: (row[10] as Int64?).map { Timestamp(nanoseconds: $0) },
                    modified: (row[11] as Int64?).map { Timestamp(nanoseconds: $0) },
                    sequence: row[7]
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

    /// Some frames of a well, the latest first; rows that make no sense are passed over, with a warning.
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
                    AND frame < ?3 AND frame >= ?4 \(selection.view == nil ? "" : "AND view = ?6") \(selection.flaggedOnly ? "AND verdict = 'faulty'" : "")
                    ORDER BY frame DESC, view DESC, sequence DESC LIMIT ?5
                    """,
                arguments: [
                    run, well.description, selection.before ?? .max, selection.from ?? .min, selection.limit,
                ] + (selection.view.map { [$0.description] } ?? [])
            ).compactMap(sensibleRecord)
        }
    }
}
