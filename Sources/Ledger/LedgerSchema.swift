import GRDB

/// The versions of the ledger's tables; a published version is never changed, a new one is added below it.
enum LedgerSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1", migrate: createVersion1)
        migrator.registerMigration("2", migrate: addTiers)
        migrator.registerMigration("3", migrate: addSessions)
        migrator.registerMigration("5", migrate: addWells)
        return migrator
    }

    /// A well's state goes by the frames that were judged in turn, so its history is found by an index of those.
    private static func addTiers(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE frames ADD COLUMN tier TEXT CHECK (tier IN ('full', 'reduced', 'deferred'));
                ALTER TABLE frames ADD COLUMN precision TEXT;
                DROP INDEX frames_of_well;
                CREATE INDEX frames_in_turn ON frames (run, well, sequence)
                WHERE state = 'scored' AND well_faulty IS NOT NULL;
                """
        )
    }

    private static func addSessions(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE sessions (
                    id INTEGER PRIMARY KEY,
                    started_ns INTEGER NOT NULL,
                    ended_ns INTEGER,
                    model TEXT NOT NULL,
                    precision TEXT NOT NULL,
                    pattern TEXT NOT NULL
                ) STRICT;
                CREATE TABLE session_roots (
                    session INTEGER NOT NULL REFERENCES sessions(id),
                    root INTEGER NOT NULL REFERENCES roots(id),
                    PRIMARY KEY (session, root)
                ) STRICT, WITHOUT ROWID;
                """
        )
    }

    private static func createVersion1(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE roots (
                    id INTEGER PRIMARY KEY,
                    path TEXT NOT NULL UNIQUE
                ) STRICT;
                CREATE TABLE frames (
                    id INTEGER PRIMARY KEY,
                    root INTEGER NOT NULL REFERENCES roots(id),
                    path TEXT NOT NULL,
                    page INTEGER NOT NULL,
                    pages INTEGER NOT NULL,
                    device INTEGER, inode INTEGER, size INTEGER, mtime_ns INTEGER,
                    run TEXT, well TEXT, frame INTEGER,
                    state TEXT NOT NULL CHECK (state IN ('scored', 'quarantined', 'skipped')),
                    reason TEXT,
                    score_max REAL, score_mean REAL, score_patch REAL, score REAL,
                    severity REAL, threshold REAL, verdict TEXT,
                    area REAL, box_x INTEGER, box_y INTEGER, box_width INTEGER, box_height INTEGER,
                    cause TEXT, mask TEXT, well_faulty INTEGER,
                    model TEXT,
                    completed_ns INTEGER,
                    judged_ns INTEGER NOT NULL,
                    sequence INTEGER NOT NULL UNIQUE,
                    UNIQUE (root, path, page)
                ) STRICT;
                CREATE INDEX frames_of_well ON frames (run, well, sequence) WHERE state = 'scored';
                CREATE INDEX frames_by_name ON frames (run, well, frame);
                CREATE INDEX frames_by_state ON frames (state, run);
                """
        )
    }
}
