import GRDB
import Glibc
package import Plate
import Synchronization

/// The durable record of what became of every frame, one SQLite database for each output folder.
///
/// **Format.** SQLite in WAL mode with `synchronous=FULL`: a commit that returned survives a power cut.
/// Schema version 7 (`PRAGMA user_version`); a ledger of another version is refused:
///
/// | table | column | meaning |
/// |---|---|---|
/// | `roots` | `id`, `path` | the watched folders, absolute |
/// | `frames` | `root`, `path`, `page` | which page of which file; unique together |
/// | | `pages` | pages of the file, so that a movie cut short is known to be unfinished |
/// | | `inode`, `size`, `mtime_ns`, `ctime_ns` | how the file looked that was judged, see `FileIdentity` |
/// | | `pixels`, `stored` | by what the page is known again, see `PageDigest`; null where it could not be read |
/// | | `run`, `well` (`B01`), `view`, `frame` | what the name says; `view` as `FrameView` writes it, empty where the name says nothing |
/// | | `state`, `reason` | `scored`, `quarantined` or `skipped`, and why for the last two |
/// | | `score_max`, `score_mean`, `score_patch`, `score` | the image scores and the one that counts |
/// | | `severity`, `threshold`, `verdict` | faulty where severity is above threshold, or the same image came again and again (`cause` is `frozen`) |
/// | | `suspect_limit` | the severity above which a frame that passes is suspect; null where that is not known |
/// | | `terms` | what each term adds to the severity, a JSON object in the order of the formula; null where that is not known |
/// | | `width`, `height` | the frame's size in pixels; null where that is not known |
/// | | `area`, `box_x`, `box_y`, `box_width`, `box_height` | share of the frame and pixels |
/// | | `cause`, `confidence` | probable cause of a faulty frame, and how sure it is, from 0 to 1; null for `unknown` |
/// | | `mask`, `model` | mask relative to the run's folder, model's name |
/// | | `well_faulty` | 1 where the well counts as faulty from this frame on, after hysteresis; null where judged after a newer |
/// | | `tier` | `full`, `half` or `deferred`, see `Tier` |
/// | | `precision` | what the network computed with (`f32`, `int8`) |
/// | | `change` | how far the frame is from the frames before it, see `ChangeRule`; null where that is not known |
/// | | `arrival` | what stands out that was not there before, in hundredths of the background, see `ArrivalRule`; null where that is not known |
/// | | `evidence` | for a fault, gathered over the well's frames, see `EvidenceRule`; null where that is not known |
/// | | `appearance` | `Judgement.appearance`, little-endian 32-bit floats; null where there is none |
/// | | `completed_ns`, `judged_ns` | Unix time in nanoseconds: file complete, outcome decided |
/// | | `sequence` | order in which outcomes were recorded; clocks may jump, this does not |
/// | | `turn` | `sequence` of the first judgement, for the order of a well's frames; null for one that does not count for its state |
/// | `sessions` | `started_ns`, `ended_ns` | when the daemon began to judge so, and when it stopped; null after a crash |
/// | | `model`, `precision`, `pattern` | what it judged with, and how names were read |
/// | `session_roots` | `session`, `root` | the folders that it watched |
/// | `models` | `name`, `path`, `first_ns` | which file had this name when it was first used |
/// | `alarms` | `time_ns`, `event`, `run`, `well`, `view`, `frame` | what the alarm logs say, see `Alarm` |
/// | | `severity`, `threshold`, `cause`, `pattern`, `reason`, `model` | |
/// | `events` | `id`, `name` | what people are told, see `Event`, in this order; `name` stays the same where it is found again |
/// | | `time_ns`, `event`, `run`, `well`, `view`, `message`, `data` | empty where it is of no run or well; `data` is a JSON object |
/// | `advice` | `id`, `run`, `action`, `wells` (`B01 B02`), `reason`, `since_ns`, `frame` | what the microscope was advised to do, see `Advice` |
/// | | `state`, `by`, `at_ns`, `note` | the last answer; null but for `state` where there is none |
/// | | `is_over` | 1 where its reason is gone |
/// | `pending` | `root`, `path`, `run` ... `frame` | files that wait, as in `frames`, until they have an outcome |
/// | | `reason`, `since_ns` | why, and since when |
/// | `runs` (view) | `run`, `first_ns`, `last_ns`, `wells`, `frames`, `judged`, `flagged`, `quarantined`, `skipped` | sums over `frames` |
/// | `series` | `run`, `well`, `view`, `judged`, `flagged`, `quarantined` | sums over `frames`, kept by triggers |
/// | | `first_ns`, `last_sequence` | when its first outcome was decided; the frame recorded last |
///
/// A frame recorded again takes the place of its earlier row and a new `sequence`, and keeps its `turn`.
/// One process opens the ledger to write, any number read beside it. Any thread may call any method; writers wait
/// for each other, readers do not wait for them.
package final class FrameLedger: Sendable {
    /// Path of the database.
    package let path: String
    let pool: DatabasePool
    /// Which file was opened; SQLite goes on writing to one that was removed.
    private let inode: UInt64?
    /// Whether it was opened as a file that nobody writes.
    private let isAtRest: Bool
    /// Rows that make no sense and were told of.
    let warned = Mutex<Set<String>>([])

    /// Opens the ledger at a path to write, or makes it; the folder has to exist.
    ///
    /// For one process at a time: two that make the tables at once would stumble over each other.
    package convenience init(path: String) throws(LedgerError) {
        try self.init(path, .writing) { pool in
            // GRDB lowers this to NORMAL when it switches WAL on, so it cannot be set any earlier.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try pool.write { database in
                if try LedgerSchema.state(of: database) == .missing { try LedgerSchema.create(in: database) }
            }
        }
    }

    /// Opens a ledger to read, beside the process that writes it if there is one.
    ///
    /// It needs no right to write. See `isOutdated`.
    package convenience init(reading path: String) throws(LedgerError) {
        try self.init(path, Self.rests(path) ? .readingAtRest : .reading) { pool in
            if try pool.read(LedgerSchema.state) == .missing {
                throw LedgerError(code: .notMade, path: path, detail: "tables are missing")
            }
        }
    }

    /// Whether this process may write; one that opened the ledger to read may not.
    var isWritable: Bool { !pool.configuration.readonly }

    /// Whether something else lies there now than what was opened to read: it is to be opened anew.
    package var isOutdated: Bool {
        inode != Self.inode(of: path) || isAtRest && !Self.rests(path)
    }

    private enum Access {
        case writing, reading, readingAtRest
    }

    /// Whether nobody writes a ledger and this process cannot make the log's files, without which SQLite reads only a file that it is
    /// told not to change.
    private static func rests(_ path: String) -> Bool {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let mayWrite = unsafe Glibc.access(folder, W_OK) == 0
        return inode(of: path + "-wal") == nil && !mayWrite
    }

    /// The address of a ledger that is only read; a file that rests is one that does not change.
    static func address(toRead path: String) -> String {
        let name = path.utf8.map { byte in
            byte.isLetterOrDigit || "-_./".utf8.contains(byte)
                ? String(Unicode.Scalar(byte)) : "%" + byte.digits(2, radix: 16)
        }
        return "file:\(name.joined())?\(rests(path) ? "immutable=1" : "mode=ro")"
    }

    private init(_ path: String, _ access: Access, prepare: (DatabasePool) throws -> Void) throws(LedgerError)
    {
        self.path = path
        isAtRest = access == .readingAtRest
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.label = "autoqc.ledger"
        configuration.readonly = access != .writing
        do {
            pool = try DatabasePool(
                path: isAtRest ? Self.address(toRead: path) : path,
                configuration: configuration
            )
            switch try pool.read(LedgerSchema.state) {
            case .missing, .current: break
            case .other(let version):
                throw LedgerError(
                    code: .otherSchema,
                    path: path,
                    detail:
                        "its schema version is \(version), this autoqc has version \(LedgerSchema.version)"
                )
            case .altered(let name):
                throw LedgerError(
                    code: .damaged,
                    path: path,
                    detail: "\(name) is not as autoqc makes it: something else changed the tables"
                )
            }
            try prepare(pool)
            inode = Self.inode(of: path)
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    /// Brings all rows to the main file; `emptying`, the write-ahead log holds none of them afterwards.
    package func checkpoint(emptying: Bool) throws(LedgerError) {
        _ = try translated {
            try pool.writeWithoutTransaction { try $0.checkpoint(emptying ? .truncate : .passive) }
        }
    }

    /// Closes the database with all rows in its main file; a later call of any other method fails.
    package func close() throws(LedgerError) {
        // Without it nothing is lost: the rows stay in the log.
        if isWritable { try? checkpoint(emptying: true) }
        try translated { try pool.close() }
        // The pool closes its readers last, and they leave the files of the log. One that may write removes them.
        guard isWritable, inode == Self.inode(of: path) else { return }
        try? DatabaseQueue(path: path).read { _ = try LedgerSchema.state(of: $0) }
    }

    /// Records outcomes, and the alarms, events and advice they gave rise to, in one transaction: all of them or none, durable when
    /// this returns.
    ///
    /// An alarm or event that is known already is not recorded again; a known advice takes its new state. Throws `gone` where the
    /// file is not the one that was opened any more.
    package func record(
        _ records: [FrameRecord],
        alarms: [Alarm] = [],
        events: [Event] = [],
        advice: [Advice] = []
    ) throws(LedgerError) {
        guard !records.isEmpty || !alarms.isEmpty || !events.isEmpty || !advice.isEmpty else { return }
        guard isInPlace else {
            throw LedgerError(code: .gone, path: path, detail: "it was removed or replaced")
        }
        try translated {
            try pool.write { database in
                var roots: [ExactPath: Int64] = [:]
                var sequence = try Int64.fetchOne(database, sql: "SELECT max(sequence) FROM frames") ?? 0
                for record in records {
                    let source = record.source
                    let folder = ExactPath(source.root)
                    let root = try roots[folder] ?? Self.root(source.root, in: database)
                    roots[folder] = root
                    guard sequence < .max else {
                        throw DatabaseError(
                            resultCode: .SQLITE_CORRUPT,
                            message:
                                "the table frames has \(sequence) as a sequence, after which there is none"
                        )
                    }
                    sequence += 1
                    try FrameRow.upsert(record, root: root, sequence: sequence, in: database)
                    try Self.settlePending(source, root: root, in: database)
                }
                for alarm in alarms { try Self.insert(alarm, in: database) }
                for event in events { try Self.insert(event, in: database) }
                for advice in advice { try Self.upsert(advice, in: database) }
            }
        }
    }

    /// Whether the path still names the file that was opened.
    package var isInPlace: Bool { inode == Self.inode(of: path) }

    private static func inode(of path: String) -> UInt64? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    static func root(_ path: String, in database: Database) throws -> Int64 {
        try database.execute(sql: "INSERT OR IGNORE INTO roots (path) VALUES (?)", arguments: [path])
        let id = try Int64.fetchOne(database, sql: "SELECT id FROM roots WHERE path = ?", arguments: [path])
        guard let id else { throw DatabaseError(message: "no row for the folder \(path)") }
        return id
    }

    func write<Value>(_ body: (Database) throws -> Value) throws(LedgerError) -> Value {
        try translated { try pool.write(body) }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(LedgerError) -> Value {
        try translated { try pool.read(body) }
    }

    func translated<Value>(_ body: () throws -> Value) throws(LedgerError) -> Value {
        do {
            return try body()
        } catch {
            throw LedgerError(error, path: path)
        }
    }
}

/// A ledger that cannot be opened, read or written.
package struct LedgerError: Error, Sendable, CustomStringConvertible {
    /// What to do about it.
    package enum Code: Sendable {
        /// Wait and try again: the disk is full, another process holds the lock, the device failed.
        case busyOrFull
        /// Give the daemon's user the right to write the folder.
        case notAllowed
        /// Repair it (`LedgerRepair`), or restore a backup.
        case damaged
        /// Use the version of autoqc that wrote it, or another output folder.
        case otherSchema
        /// Start the daemon on the output folder once: it makes the tables.
        case notMade
        /// Look at what was to be recorded: the tables do not take it.
        case refused
        /// Start again: the file was removed or replaced while it was open, and what is written to it is lost.
        case gone
        /// Anything else SQLite reports.
        case other
    }

    /// What to do about it.
    package let code: Code
    /// Path of the database.
    package let path: String
    /// SQLite's own words.
    package let detail: String

    /// Says what is wrong with the database at a path.
    package init(code: Code, path: String, detail: String) {
        (self.code, self.path, self.detail) = (code, path, detail)
    }

    /// Whether the same call can succeed later without anybody mending the file.
    package var isRetriable: Bool { code == .busyOrFull || code == .notAllowed || code == .other }

    /// A sentence with the path, the reason and what to do.
    package var description: String {
        let remedy =
            switch code {
            case .busyOrFull: "free some space on its file system, or stop the other process that holds it"
            case .notAllowed: "let this user write the file and its folder"
            case .damaged:
                "stop the daemon and run `autoqc doctor --repair`, which saves what can be read (the other frames are then "
                    + "judged again); or restore a backup"
            case .otherSchema:
                "another version of autoqc wrote it: use that version, or name another output folder (frames are then "
                    + "judged again)"
            case .notMade: "start `autoqc watch` with this output folder once: it makes the tables"
            case .refused:
                "look at the names and figures that were to be recorded; everything else is recorded"
            case .gone: "start again; frames whose outcome went with it are judged again"
            case .other: "see SQLite's message"
            }
        return "The ledger \(path) cannot be used (\(detail)): \(remedy)."
    }

}

extension LedgerError {
    /// Translates what GRDB throws.
    init(_ error: any Error, path: String) {
        guard let error = error as? DatabaseError else {
            self.init(code: .other, path: path, detail: "\(error)")
            return
        }
        let code: Code =
            switch error.resultCode {
            case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHORT_READ: .damaged
            case .SQLITE_FULL, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_IOERR, .SQLITE_NOMEM: .busyOrFull
            case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: .notAllowed
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged
            case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG, .SQLITE_RANGE: .refused
            default: .other
            }
        self.init(code: code, path: path, detail: error.message ?? "\(error.resultCode)")
    }
}
