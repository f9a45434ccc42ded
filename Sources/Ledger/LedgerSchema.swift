import GRDB

/// The ledger's tables, views, indexes and triggers; `FrameLedger` describes them.
///
/// There is one version of them. It stands in SQLite's `user_version`, and a ledger of another version is refused.
enum LedgerSchema {
    /// The version that this program writes and reads.
    static let version = 7

    enum State: Equatable {
        /// No tables of a ledger.
        case missing
        /// The tables of this version.
        case current
        /// Tables of another version; 0 for a ledger that names none.
        case other(version: Int)
        /// This version, but one of its tables, indexes or triggers was changed.
        case altered(name: String)
    }

    static func state(of database: Database) throws -> State {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        if found == version { return try alteration(of: database).map { .altered(name: $0) } ?? .current }
        return try found == 0 && !database.tableExists("frames") ? .missing : .other(version: found)
    }

    /// The first table, view, index or trigger that is not as `create` makes it.
    ///
    /// Rows of the tables as they are made have columns of the types that are read from them.
    private static func alteration(of database: Database) throws -> String? {
        let found = try statements(of: database)
        let wanted = try DatabaseQueue().write { fresh in
            try create(in: fresh)
            return try statements(of: fresh)
        }
        return wanted.keys.sorted().first { found[$0] != wanted[$0] }
    }

    private static func statements(of database: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        )
        return rows.reduce(into: [:]) { $0[$1["name"] as String] = $1["sql"] as String }
    }

    static func create(in database: Database) throws {
        try database.execute(sql: frames + sessions + alarms + events + advice + series + triggers)
        try database.execute(sql: "PRAGMA user_version = \(version)")
    }

    /// A well's state goes by the frames that were judged in order (`turn`), so an index has those.
    private static let frames = """
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
            pixels INTEGER, stored INTEGER,
            inode INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
            run TEXT, well TEXT, view TEXT, frame INTEGER,
            state TEXT NOT NULL CHECK (state IN ('scored', 'quarantined', 'skipped')),
            reason TEXT,
            score_max REAL, score_mean REAL, score_patch REAL, score REAL,
            severity REAL, threshold REAL, suspect_limit REAL, terms TEXT, verdict TEXT,
            width INTEGER, height INTEGER,
            area REAL, box_x INTEGER, box_y INTEGER, box_width INTEGER, box_height INTEGER,
            cause TEXT, confidence REAL, mask TEXT, well_faulty INTEGER,
            tier TEXT CHECK (tier IN ('full', 'half', 'deferred')),
            precision TEXT, change REAL, arrival REAL, evidence REAL, appearance BLOB,
            model TEXT,
            completed_ns INTEGER,
            judged_ns INTEGER NOT NULL,
            sequence INTEGER NOT NULL UNIQUE,
            turn INTEGER,
            UNIQUE (root, path, page)
        ) STRICT;
        CREATE INDEX frames_in_turn ON frames (run, well, view, turn) WHERE turn IS NOT NULL;
        CREATE INDEX frames_by_name ON frames (run, well, view, frame);
        CREATE INDEX frames_by_mask ON frames (run, mask) WHERE mask IS NOT NULL;
        CREATE INDEX frames_by_state ON frames (state, run);
        CREATE TABLE pending (
            root INTEGER NOT NULL REFERENCES roots(id),
            path TEXT NOT NULL,
            run TEXT NOT NULL, well TEXT NOT NULL, view TEXT NOT NULL, frame INTEGER NOT NULL,
            reason TEXT NOT NULL,
            since_ns INTEGER NOT NULL,
            PRIMARY KEY (root, path)
        ) STRICT, WITHOUT ROWID;
        CREATE VIEW runs AS
        SELECT run, min(completed_ns) AS first_ns, max(judged_ns) AS last_ns, count(*) AS frames,
            count(DISTINCT well) AS wells, sum(state = 'scored') AS judged,
            coalesce(sum(verdict = 'faulty'), 0) AS flagged,
            sum(state = 'quarantined') AS quarantined, sum(state = 'skipped') AS skipped
        FROM frames WHERE run IS NOT NULL GROUP BY run;

        """

    private static let sessions = """
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
        CREATE TABLE models (
            name TEXT PRIMARY KEY,
            path TEXT NOT NULL,
            first_ns INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        """

    private static let alarms = """
        CREATE TABLE alarms (
            id INTEGER PRIMARY KEY,
            time_ns INTEGER NOT NULL,
            event TEXT NOT NULL,
            run TEXT NOT NULL, well TEXT NOT NULL, view TEXT NOT NULL, frame INTEGER NOT NULL,
            severity REAL, threshold REAL, cause TEXT,
            pattern TEXT,
            reason TEXT NOT NULL,
            model TEXT NOT NULL,
            UNIQUE (run, well, view, frame, event, model, reason)
        ) STRICT;

        """

    /// What is to be told beyond this machine, kept for ever; who tells it remembers what was told.
    private static let events = """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            time_ns INTEGER NOT NULL,
            event TEXT NOT NULL,
            run TEXT NOT NULL, well TEXT NOT NULL, view TEXT NOT NULL,
            message TEXT NOT NULL,
            data TEXT NOT NULL
        ) STRICT;
        CREATE INDEX events_of_well ON events (run, well, view, id);

        """

    /// What the microscope was advised to do, kept for ever.
    ///
    /// State, name, time and note are those of the last answer.
    private static let advice = """
        CREATE TABLE advice (
            id TEXT PRIMARY KEY,
            run TEXT NOT NULL,
            action TEXT NOT NULL CHECK (action IN ('refocus', 'skip-well', 'pause', 'stop')),
            wells TEXT NOT NULL,
            reason TEXT NOT NULL,
            since_ns INTEGER NOT NULL,
            frame INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'acknowledged', 'done', 'refused', 'expired')),
            by TEXT, at_ns INTEGER, note TEXT,
            is_over INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX advice_of_run ON advice (run, since_ns);

        """

    /// Sums that the page asks for again and again: counting the frames of a plate of 384 wells takes seconds, reading 384
    /// rows does not.
    private static let series = """
        CREATE TABLE series (
            run TEXT NOT NULL,
            well TEXT NOT NULL,
            view TEXT NOT NULL,
            judged INTEGER NOT NULL,
            flagged INTEGER NOT NULL,
            quarantined INTEGER NOT NULL,
            first_ns INTEGER NOT NULL,
            last_sequence INTEGER NOT NULL,
            PRIMARY KEY (run, well, view)
        ) STRICT, WITHOUT ROWID;

        """

    /// A frame that is recorded again leaves the sums as its earlier row, and enters them as its new one.
    private static let triggers = """
        CREATE TRIGGER series_count_new AFTER INSERT ON frames
        WHEN NEW.run IS NOT NULL AND NEW.well IS NOT NULL AND NEW.state <> 'skipped' BEGIN
            \(counting)
        END;
        CREATE TRIGGER series_uncount_old AFTER UPDATE ON frames
        WHEN OLD.run IS NOT NULL AND OLD.well IS NOT NULL AND OLD.state <> 'skipped' BEGIN
            UPDATE series SET judged = judged - (OLD.state = 'scored'), flagged = flagged - (OLD.verdict IS 'faulty'),
                quarantined = quarantined - (OLD.state = 'quarantined')
            WHERE run = OLD.run AND well = OLD.well AND view = OLD.view;
        END;
        CREATE TRIGGER series_count_again AFTER UPDATE ON frames
        WHEN NEW.run IS NOT NULL AND NEW.well IS NOT NULL AND NEW.state <> 'skipped' BEGIN
            \(counting)
        END;
        """

    private static let counting = """
        INSERT INTO series VALUES (NEW.run, NEW.well, NEW.view, NEW.state = 'scored', NEW.verdict IS 'faulty',
                NEW.state = 'quarantined', NEW.judged_ns, NEW.sequence)
            ON CONFLICT (run, well, view) DO UPDATE SET judged = judged + excluded.judged,
                flagged = flagged + excluded.flagged, quarantined = quarantined + excluded.quarantined,
                first_ns = min(first_ns, excluded.first_ns),
                last_sequence = max(last_sequence, excluded.last_sequence);
        """
}
