import GRDB

/// The versions of the ledger's tables; a published version is never changed, a new one is added below it.
enum LedgerSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1", migrate: createVersion1)
        migrator.registerMigration("2", migrate: addTiers)
        migrator.registerMigration("3", migrate: addSessions)
        migrator.registerMigration("4", migrate: addAlarms)
        migrator.registerMigration("5", migrate: addWells)
        migrator.registerMigration("6", migrate: addAppearance)
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

    private static func addAppearance(_ database: Database) throws {
        try database.execute(
            sql: "ALTER TABLE frames ADD COLUMN change REAL; ALTER TABLE frames ADD COLUMN appearance BLOB;"
        )
    }

    /// Alarms of before are in the logs only.
    private static func addAlarms(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE alarms (
                    id INTEGER PRIMARY KEY,
                    time_ns INTEGER NOT NULL,
                    event TEXT NOT NULL,
                    run TEXT NOT NULL, well TEXT NOT NULL, frame INTEGER NOT NULL,
                    severity REAL, threshold REAL, cause TEXT,
                    reason TEXT NOT NULL,
                    model TEXT NOT NULL,
                    UNIQUE (run, well, frame, event, model, reason)
                ) STRICT;
                CREATE TABLE pending (
                    root INTEGER NOT NULL REFERENCES roots(id),
                    path TEXT NOT NULL,
                    device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
                    run TEXT NOT NULL, well TEXT NOT NULL, frame INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    since_ns INTEGER NOT NULL,
                    PRIMARY KEY (root, path)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE models (
                    name TEXT PRIMARY KEY,
                    path TEXT NOT NULL,
                    first_ns INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE VIEW runs AS
                SELECT run, min(completed_ns) AS first_ns, max(judged_ns) AS last_ns, count(*) AS frames,
                    count(DISTINCT well) AS wells, sum(state = 'scored') AS scored,
                    sum(state = 'quarantined') AS quarantined, sum(state = 'skipped') AS skipped,
                    coalesce(sum(verdict = 'faulty'), 0) AS faulty
                FROM frames WHERE run IS NOT NULL GROUP BY run;
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
