import GRDB
package import Plate

/// Joins the ledgers of parts of an archive.
extension FrameLedger {
    /// What speaks against taking the rows of another ledger, one sentence each; empty for nothing.
    ///
    /// The other one must be a ledger that `init(reading:)` opens.
    package func conflicts(with other: String) throws(LedgerError) -> [String] {
        try attaching(other) { try Self.conflicts(in: $0) }
    }

    /// Takes the rows of another ledger that this one lacks, in one transaction, and keeps their order; returns how many frames
    /// came.
    ///
    /// Sessions and advice are not taken.
    package func merge(_ other: String) throws(LedgerError) -> Int {
        try attaching(other) { database in
            var added = 0
            try database.inTransaction {
                added = try Self.takeRows(in: database)
                return .commit
            }
            return added
        }
    }

    private func attaching<Value>(_ other: String, _ body: (Database) throws -> Value) throws(LedgerError)
        -> Value
    {
        try translated {
            try pool.writeWithoutTransaction { database in
                try database.execute(
                    sql: "ATTACH DATABASE ? AS part",
                    arguments: [Self.address(toRead: other)]
                )
                defer { try? database.execute(sql: "DETACH DATABASE part") }
                return try body(database)
            }
        }
    }

    /// Pairs of the same page in both ledgers.
    private static let pairs = """
        part.frames p JOIN part.roots pr ON pr.id = p.root JOIN main.roots mr ON mr.path = pr.path
        JOIN main.frames m ON m.root = mr.id AND m.path = p.path AND m.page = p.page
        """
    /// Whether this ledger lacks the page of a row `p` of the other one.
    private static let isNew = """
        NOT EXISTS (SELECT 1 FROM part.roots pr JOIN main.roots mr ON mr.path = pr.path
            JOIN main.frames m ON m.root = mr.id AND m.path = p.path AND m.page = p.page WHERE pr.id = p.root)
        """
    private static let mostNamed = 5

    private static func conflicts(in database: Database) throws -> [String] {
        let models = try Row.fetchAll(
            database,
            sql: """
                SELECT DISTINCT p.model, p.precision, m.model, m.precision FROM
                (SELECT DISTINCT model, precision FROM part.frames WHERE state = 'scored') p JOIN
                (SELECT DISTINCT model, precision FROM main.frames WHERE state = 'scored') m
                WHERE p.model IS NOT m.model OR p.precision IS NOT m.precision LIMIT ?
                """,
            arguments: [mostNamed]
        ).map { row in
            let words = (0..<4).map { (row[$0] as String?).map(printableName) ?? "?" }
            return
                "its verdicts are of model \(words[0]) in \(words[1]), the others of \(words[2]) in \(words[3])"
        }
        let pages = try Row.fetchAll(
            database,
            sql: """
                SELECT p.path, p.page FROM \(pairs)
                WHERE p.state IS NOT m.state OR p.reason IS NOT m.reason OR p.pixels IS NOT m.pixels
                    OR p.severity IS NOT m.severity OR p.verdict IS NOT m.verdict LIMIT ?
                """,
            arguments: [mostNamed]
        ).map { row in
            "\(printableName(row[0] as String)), page \(row[1] as Int), has another content or verdict there"
        }
        let wells = try Row.fetchAll(
            database,
            sql: """
                SELECT DISTINCT m.run, m.well FROM
                (SELECT DISTINCT run, well FROM part.frames WHERE run IS NOT NULL) w
                JOIN main.frames m ON m.run = w.run AND m.well = w.well
                WHERE NOT EXISTS (SELECT 1 FROM main.roots mr JOIN part.roots pr ON pr.path = mr.path
                    JOIN part.frames p ON p.root = pr.id AND p.path = m.path AND p.page = m.page WHERE mr.id = m.root)
                LIMIT ?
                """,
            arguments: [mostNamed]
        ).map { row in
            "run \(printableName(row[0] as String)), well \(row[1] as String? ?? ""), is in another part, too, and the frames of "
                + "a well are judged in order of time"
        }
        return models + pages + wells
    }

    private static func takeRows(in database: Database) throws -> Int {
        let last = try Int64.fetchOne(database, sql: "SELECT max(sequence) FROM main.frames") ?? 0
        try database.execute(sql: "INSERT OR IGNORE INTO main.roots (path) SELECT path FROM part.roots")
        let values = FrameRow.columns.map { column in
            switch column {
            case "root":
                "(SELECT mr.id FROM part.roots pr JOIN main.roots mr ON mr.path = pr.path WHERE pr.id = p.root)"
            case "sequence", "turn": "p.\(column) + :last"
            default: "p.\(column)"
            }
        }
        try database.execute(
            sql: """
                INSERT INTO main.frames (\(FrameRow.columns.joined(separator: ", ")))
                SELECT \(values.joined(separator: ", ")) FROM part.frames p WHERE \(isNew) ORDER BY p.sequence
                """,
            arguments: ["last": last]
        )
        let added = database.changesCount
        for (table, columns) in tables {
            try database.execute(
                sql: "INSERT OR IGNORE INTO main.\(table) (\(columns)) SELECT \(columns) FROM part.\(table)"
            )
        }
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO main.pending
                SELECT (SELECT mr.id FROM part.roots pr JOIN main.roots mr ON mr.path = pr.path WHERE pr.id = p.root),
                    p.path, p.run, p.well, p.view, p.frame, p.reason, p.since_ns FROM part.pending p
                """
        )
        try database.execute(
            sql: """
                DELETE FROM main.pending WHERE EXISTS
                (SELECT 1 FROM main.frames m WHERE m.root = pending.root AND m.path = pending.path)
                """
        )
        return added
    }

    /// What is taken as it stands, unless it is there.
    private static let tables = [
        ("models", "name, path, first_ns"),
        (
            "alarms",
            "time_ns, event, run, well, view, frame, severity, threshold, cause, pattern, reason, model"
        ),
        ("events", "name, time_ns, event, run, well, view, message, data"),
    ]

    /// Hands over every row in the order of runs, wells, views and time, and what belongs to no run first.
    package func forEachInOrder(_ body: (FrameRecord) throws -> Void) throws(LedgerError) {
        try read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: "\(FrameRow.selection) ORDER BY run, well, view, frame, root_path, frames.path, page"
            )
            while let row = try rows.next() { try body(FrameRow.record(from: row)) }
        }
    }
}
