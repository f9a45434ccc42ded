import GRDB
package import Plate

/// A time in which the daemon judged with one model and one way of reading names.
///
/// A start begins one, and so does a reload that changes either.
package struct DaemonSession: Sendable, Equatable {
    /// When it began.
    package let started: Timestamp
    /// When it ended; `nil` while it lasts, and for one that a crash ended.
    package let ended: Timestamp?
    /// Name of the model, the first digits of its file's SHA-256.
    package let model: String
    /// Path of the file that had this name when the ledger first met it.
    package let modelPath: String
    /// What the network computed with, for example `int8`.
    package let precision: String
    /// How file names told run, well and frame.
    package let pattern: String
    /// The watched folders, absolute.
    package let folders: [String]

    /// Gathers a session.
    package init(
        started: Timestamp,
        ended: Timestamp? = nil,
        model: String,
        modelPath: String = "",
        precision: String,
        pattern: String,
        folders: [String]
    ) {
        self.started = started
        self.ended = ended
        self.model = model
        self.modelPath = modelPath
        self.precision = precision
        self.pattern = pattern
        self.folders = folders
    }
}

extension FrameLedger {
    /// Notes that a session begins; the one before it, if it has no end, stays without.
    package func begin(_ session: DaemonSession) throws(LedgerError) {
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO sessions (started_ns, ended_ns, model, precision, pattern) VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    session.started.nanoseconds, session.ended?.nanoseconds, session.model,
                    session.precision, session.pattern,
                ]
            )
            let id = database.lastInsertedRowID
            try Self.introduce(session.model, session.modelPath, session.started, in: database)
            for folder in session.folders {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO session_roots (session, root) VALUES (?, ?)",
                    arguments: [id, try Self.root(folder, in: database)]
                )
            }
        }
    }

    /// Notes which file has a model's name, where frames are to be recorded with another model than the session's.
    package func introduce(model: String, path: String, at time: Timestamp) throws(LedgerError) {
        try write { try Self.introduce(model, path, time, in: $0) }
    }

    private static func introduce(
        _ model: String,
        _ path: String,
        _ time: Timestamp,
        in database: Database
    ) throws {
        try database.execute(
            sql: "INSERT OR IGNORE INTO models (name, path, first_ns) VALUES (?, ?, ?)",
            arguments: [model, path, time.nanoseconds]
        )
    }

    /// Notes that the last session ended; nothing happens where it has an end already.
    package func endSession(at time: Timestamp) throws(LedgerError) {
        try write { database in
            try database.execute(
                sql: """
                    UPDATE sessions SET ended_ns = ?
                    WHERE id = (SELECT max(id) FROM sessions) AND ended_ns IS NULL
                    """,
                arguments: [time.nanoseconds]
            )
        }
    }

    /// When the last session began, if it has no end: a daemon runs, or it ended without a word.
    package func startOfOpenSession() throws(LedgerError) -> Timestamp? {
        try read { database in
            try Int64.fetchOne(
                database,
                sql: """
                    SELECT started_ns FROM sessions
                    WHERE id = (SELECT max(id) FROM sessions) AND ended_ns IS NULL
                    """
            )
            .map { Timestamp(nanoseconds: $0) }
        }
    }

    /// All sessions, the first one first.
    package func sessions() throws(LedgerError) -> [DaemonSession] {
        try read { database in
            try Row.fetchAll(
                database,
                sql:
                    "SELECT sessions.*, models.path AS model_path FROM sessions LEFT JOIN models ON name = model ORDER BY id"
            ).map { row in
                DaemonSession(
                    started: Timestamp(nanoseconds: row["started_ns"]),
                    ended: (row["ended_ns"] as Int64?).map { Timestamp(nanoseconds: $0) },
                    model: row["model"],
                    modelPath: row["model_path"] ?? "",
                    precision: row["precision"],
                    pattern: row["pattern"],
                    folders: try String.fetchAll(
                        database,
                        sql: """
                            SELECT path FROM session_roots JOIN roots ON roots.id = root
                            WHERE session = ? ORDER BY path
                            """,
                        arguments: [row["id"] as Int64]
                    )
                )
            }
        }
    }
}

/// A file that waits to be judged: because it cannot be read now, or because the daemon stopped before it was.
package struct PendingFrame: Sendable, Equatable {
    /// The file; its content is not known.
    package let source: FrameSource
    /// What its name says.
    package let frame: FrameID
    /// Why it waits.
    package let reason: String
    /// When that was noted.
    package let since: Timestamp

    /// Gathers a row.
    package init(source: FrameSource, frame: FrameID, reason: String, since: Timestamp) {
        (self.source, self.frame, self.reason, self.since) = (source, frame, reason, since)
    }
}

extension FrameLedger {
    /// Notes what waits, in one transaction.
    package func leave(_ frames: [PendingFrame]) throws(LedgerError) {
        guard !frames.isEmpty else { return }
        try write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO pending
                    (root, path, run, well, view, frame, reason, since_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """
            )
            for frame in frames {
                try statement.execute(
                    arguments: [
                        try Self.root(frame.source.root, in: database), frame.source.path,
                        frame.frame.run, frame.frame.well.description,
                        frame.frame.view.description, frame.frame.index, frame.reason,
                        frame.since.nanoseconds,
                    ]
                )
            }
        }
    }

    /// What was left and has no outcome yet, by path.
    package func pending() throws(LedgerError) -> [PendingFrame] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT pending.*, roots.path AS root_path FROM pending JOIN roots ON roots.id = root
                    ORDER BY root_path, pending.path
                    """
            ).compactMap { row in
                guard let frame = FrameRow.frame(from: row) else { return nil }
                let source = FrameSource(root: row["root_path"], path: row["path"])
                return PendingFrame(
                    source: source,
                    frame: frame,
                    reason: row["reason"],
                    since: Timestamp(nanoseconds: row["since_ns"])
                )
            }
        }
    }

    /// A file with an outcome waits no more.
    static func settlePending(_ source: FrameSource, root: Int64, in database: Database) throws {
        try database.cachedStatement(sql: "DELETE FROM pending WHERE root = ? AND path = ?")
            .execute(arguments: [root, source.path])
    }
}
