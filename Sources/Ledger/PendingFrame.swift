import GRDB
package import Plate

/// A file that waited to be judged when the daemon stopped; the next start judges it.
package struct PendingFrame: Sendable, Equatable {
    /// The file, with the content that waits.
    package let source: FrameSource
    /// What its name says.
    package let frame: FrameID
    /// Why it waits.
    package let reason: String
    /// When it was left.
    package let since: Timestamp

    /// Gathers a row.
    package init(source: FrameSource, frame: FrameID, reason: String, since: Timestamp) {
        self.source = source
        self.frame = frame
        self.reason = reason
        self.since = since
    }
}

extension FrameLedger {
    /// Notes what is left for the next start, in one transaction; a file without a content has nothing to wait for.
    package func leave(_ frames: [PendingFrame]) throws(LedgerError) {
        guard !frames.isEmpty else { return }
        try write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO pending
                    (root, path, device, inode, size, mtime_ns, run, well, frame, reason, since_ns)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
            )
            for frame in frames {
                guard let identity = frame.source.identity else { continue }
                try statement.execute(
                    arguments: [
                        try Self.root(frame.source.root, in: database), frame.source.path,
                        Int64(bitPattern: identity.device), Int64(bitPattern: identity.inode), identity.size,
                        identity.modified.nanoseconds, frame.frame.run, frame.frame.well.description,
                        frame.frame.index, frame.reason, frame.since.nanoseconds,
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
                    SELECT pending.*, 0 AS page, roots.path AS root_path FROM pending JOIN roots ON roots.id = root
                    ORDER BY root_path, pending.path
                    """
            ).compactMap { row in
                FrameRow.frame(from: row).map { frame in
                    PendingFrame(
                        source: FrameRow.source(from: row),
                        frame: frame,
                        reason: row["reason"],
                        since: Timestamp(nanoseconds: row["since_ns"])
                    )
                }
            }
        }
    }

    /// A file with an outcome waits no more.
    static func settlePending(_ source: FrameSource, root: Int64, in database: Database) throws {
        try database.cachedStatement(sql: "DELETE FROM pending WHERE root = ? AND path = ?")
            .execute(arguments: [root, source.path])
    }
}
