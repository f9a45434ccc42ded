import GRDB

extension LedgerSchema {
    /// What a page over the whole plate asks for again and again, kept up by SQLite itself: counting the frames of a
    /// plate of 384 wells takes seconds, reading its 384 rows of `wells` does not. And what a reviewer decided.
    static func addWells(_ database: Database) throws {
        try database.execute(sql: wellTables + wellTriggers)
    }

    private static let wellTables = """
        CREATE TABLE wells (
            run TEXT NOT NULL,
            well TEXT NOT NULL,
            scored INTEGER NOT NULL,
            faulty INTEGER NOT NULL,
            quarantined INTEGER NOT NULL,
            first_ns INTEGER NOT NULL,
            last_sequence INTEGER NOT NULL,
            PRIMARY KEY (run, well)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO wells
        SELECT run, well, sum(state = 'scored'), sum(verdict IS 'faulty'), sum(state = 'quarantined'),
            min(judged_ns), max(sequence)
        FROM frames WHERE run IS NOT NULL AND well IS NOT NULL AND state <> 'skipped' GROUP BY run, well;
        CREATE TABLE decisions (
            id INTEGER PRIMARY KEY,
            run TEXT NOT NULL,
            well TEXT NOT NULL,
            frame INTEGER,
            decision TEXT NOT NULL CHECK (decision IN ('fault', 'false-alarm', 'unsure', 'withdrawn')),
            note TEXT NOT NULL,
            reviewer TEXT NOT NULL,
            decided_ns INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX decisions_of_well ON decisions (run, well, frame, id);
        """

    /// A frame that is recorded again leaves the sums as its earlier row, and enters them as its new one.
    private static let wellTriggers = """
        CREATE TRIGGER wells_count_new AFTER INSERT ON frames
        WHEN NEW.run IS NOT NULL AND NEW.well IS NOT NULL AND NEW.state <> 'skipped' BEGIN
            \(counting)
        END;
        CREATE TRIGGER wells_uncount_old AFTER UPDATE ON frames
        WHEN OLD.run IS NOT NULL AND OLD.well IS NOT NULL AND OLD.state <> 'skipped' BEGIN
            UPDATE wells SET scored = scored - (OLD.state = 'scored'), faulty = faulty - (OLD.verdict IS 'faulty'),
                quarantined = quarantined - (OLD.state = 'quarantined')
            WHERE run = OLD.run AND well = OLD.well;
        END;
        CREATE TRIGGER wells_count_again AFTER UPDATE ON frames
        WHEN NEW.run IS NOT NULL AND NEW.well IS NOT NULL AND NEW.state <> 'skipped' BEGIN
            \(counting)
        END;
        """

    private static let counting = """
        INSERT INTO wells VALUES (NEW.run, NEW.well, NEW.state = 'scored', NEW.verdict IS 'faulty',
                NEW.state = 'quarantined', NEW.judged_ns, NEW.sequence)
            ON CONFLICT (run, well) DO UPDATE SET scored = scored + excluded.scored,
                faulty = faulty + excluded.faulty, quarantined = quarantined + excluded.quarantined,
                first_ns = min(first_ns, excluded.first_ns),
                last_sequence = max(last_sequence, excluded.last_sequence);
        """
}
