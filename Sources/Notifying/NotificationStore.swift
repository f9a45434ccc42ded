import Foundation
import GRDB
package import Ledger
package import Plate

/// What was told to whom, and what waits to be told: `OUT/notify.sqlite`.
///
/// **Format.** SQLite in WAL mode with `synchronous=FULL`. One process writes it.
///
/// | table | column | meaning |
/// |---|---|---|
/// | `targets` | `name` | the receiver, as the configuration names it |
/// | | `number`, `event` | the ledger's event that was taken last, 0 and empty before the first |
/// | `deliveries` | `number` | order of taking |
/// | | `target`, `event` | receiver and `Event.id`; unique together, so that nothing is taken twice |
/// | | `lane` | run and well; events of a lane are told in their order |
/// | | `kind`, `time_ns`, `summary`, `data` | see `Event`; `data` is emptied when the end is reached |
/// | | `taken_ns` | when it was taken |
/// | | `message` | id of the message that it is in, its own or a digest's; empty until the first attempt |
/// | | `attempts` | failed ones that the receiver answered |
/// | | `state`, `ended_ns`, `reason` | `waiting`, `delivered` or `given-up`, since when, and why |
package final class NotificationStore: Sendable {
    private static let version = 1
    /// Ended deliveries are forgotten after three months.
    private static let memory = Duration.seconds(90 * 86_400)

    private let queue: DatabaseQueue

    /// Opens the store, or makes it.
    package init(path: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.journalMode = .wal
        configuration.label = "autoqc.notify"
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        try queue.write { database in
            let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            if found == 0 { try Self.create(in: database) }
            guard found == 0 || found == Self.version else {
                throw NotificationError(
                    "\(path) was written by another version of autoqc; remove it, and what waits in it is not told"
                )
            }
        }
    }

    private static func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE targets (
                    name TEXT PRIMARY KEY,
                    number INTEGER NOT NULL,
                    event TEXT NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE deliveries (
                    number INTEGER PRIMARY KEY,
                    target TEXT NOT NULL,
                    event TEXT NOT NULL,
                    lane TEXT NOT NULL,
                    kind TEXT NOT NULL,
                    time_ns INTEGER NOT NULL,
                    summary TEXT NOT NULL,
                    data TEXT NOT NULL,
                    taken_ns INTEGER NOT NULL,
                    message TEXT NOT NULL DEFAULT '',
                    attempts INTEGER NOT NULL DEFAULT 0,
                    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given-up')),
                    ended_ns INTEGER,
                    reason TEXT NOT NULL DEFAULT '',
                    UNIQUE (target, event)
                ) STRICT;
                CREATE INDEX deliveries_waiting ON deliveries (target, number) WHERE state = 'waiting';
                PRAGMA user_version = \(version);
                """
        )
    }

    /// Forgets what ended long ago.
    package func prune(at time: Timestamp) throws {
        try queue.write { database in
            try database.execute(
                sql: "DELETE FROM deliveries WHERE state <> 'waiting' AND ended_ns < ?",
                arguments: [(time - Self.memory).nanoseconds]
            )
        }
    }
}

/// Taking events from the ledger.
extension NotificationStore {
    /// The ledger's event that was taken last for a receiver; `nil` for a receiver that is new.
    package func position(of target: String) throws -> (number: Int64, event: String)? {
        try queue.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT number, event FROM targets WHERE name = ?",
                arguments: [target]
            )
            .map { ($0["number"], $0["event"]) }
        }
    }

    /// Says from where on a receiver is told.
    package func setPosition(of target: String, number: Int64, event: String) throws {
        try queue.write { try Self.setPosition(of: target, number, event, in: $0) }
    }

    /// Takes events for a receiver; one that was taken before is not taken again.
    ///
    /// `passed` is the ledger's event up to which this is all.
    package func take(
        _ events: [Event],
        for target: String,
        passed: FrameLedger.NumberedEvent? = nil,
        at time: Timestamp
    ) throws {
        try queue.write { database in
            for event in events {
                try database.execute(
                    sql: """
                        INSERT OR IGNORE INTO deliveries (target, event, lane, kind, time_ns, summary, data, taken_ns)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        target, event.id, event.lane, event.kind.rawValue, event.time.nanoseconds,
                        event.message, event.data, time.nanoseconds,
                    ]
                )
            }
            guard let passed else { return }
            try Self.setPosition(of: target, passed.number, passed.event.id, in: database)
        }
    }

    private static func setPosition(
        of target: String,
        _ number: Int64,
        _ event: String,
        in database: Database
    ) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO targets (name, number, event) VALUES (?, ?, ?)",
            arguments: [target, number, event]
        )
    }
}

/// Delivering them.
extension NotificationStore {
    /// What waits for a receiver, in the order of taking; the first so many.
    package func waiting(for target: String, limit: Int) throws -> [Delivery] {
        try queue.read { database in
            try Row.fetchAll(
                database,
                sql:
                    "SELECT * FROM deliveries WHERE target = ? AND state = 'waiting' ORDER BY number LIMIT ?",
                arguments: [target, limit]
            ).map { row in
                Delivery(
                    number: row["number"],
                    event: row["event"],
                    lane: row["lane"],
                    kind: row["kind"],
                    time: Timestamp(nanoseconds: row["time_ns"]),
                    summary: row["summary"],
                    data: row["data"],
                    message: row["message"],
                    attempts: row["attempts"]
                )
            }
        }
    }

    /// How much waits for a receiver.
    package func countWaiting(for target: String) throws -> Int {
        try queue.read { database in
            try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM deliveries WHERE target = ? AND state = 'waiting'",
                arguments: [target]
            ) ?? 0
        }
    }

    /// Puts deliveries into one message, for as long as it takes to deliver it.
    package func bind(_ deliveries: [Delivery], to message: String) throws {
        try update(deliveries, "message = ?", [message])
    }

    /// Lets deliveries go into messages of their own again, with all attempts.
    package func unbind(_ deliveries: [Delivery]) throws {
        try update(deliveries, "message = event, attempts = 0", [])
    }

    /// Counts an attempt that failed.
    package func countAttempt(at deliveries: [Delivery]) throws {
        try update(deliveries, "attempts = attempts + 1", [])
    }

    /// Notes that deliveries have reached their receiver, or never will, for a reason.
    package func end(_ deliveries: [Delivery], givenUp reason: String? = nil, at time: Timestamp) throws {
        try update(
            deliveries,
            "state = ?, reason = ?, ended_ns = ?, data = ''",
            [reason == nil ? "delivered" : "given-up", reason ?? "", time.nanoseconds]
        )
    }

    /// Gives up what was taken before a moment and waits still; how much that is.
    package func giveUp(
        for target: String,
        takenBefore limit: Timestamp,
        _ reason: String,
        at time: Timestamp
    )
        throws -> Int
    {
        try queue.write { database in
            try database.execute(
                sql: """
                    UPDATE deliveries SET state = 'given-up', reason = ?, ended_ns = ?, data = ''
                    WHERE target = ? AND state = 'waiting' AND taken_ns < ?
                    """,
                arguments: [reason, time.nanoseconds, target, limit.nanoseconds]
            )
            return database.changesCount
        }
    }

    private func update(_ deliveries: [Delivery], _ assignments: String, _ values: StatementArguments) throws
    {
        try queue.write { database in
            for delivery in deliveries {
                try database.execute(
                    sql: "UPDATE deliveries SET \(assignments) WHERE number = ?",
                    arguments: values + [delivery.number]
                )
            }
        }
    }
}

/// An event that waits for a receiver.
package struct Delivery: Sendable, Equatable {
    /// Order of taking.
    package let number: Int64
    /// `Event.id`.
    package let event: String
    /// Run and well; events of a lane are told in their order.
    package let lane: String
    /// `Event.Kind` as it is written.
    package let kind: String
    /// When it was found.
    package let time: Timestamp
    /// One line for people.
    package let summary: String
    /// A JSON object.
    package let data: String
    /// The message that it is in; empty until it was tried.
    package var message = ""
    /// Failed attempts that the receiver answered.
    package var attempts = 0
}

extension Event {
    /// Events of a well are told in their order, and so are those of a plate and of the daemon.
    fileprivate var lane: String { "\(run ?? "")\n\(well?.description ?? "")" }
}

/// Why nobody can be told of events, and what to do: a sentence.
package struct NotificationError: Error, Sendable, CustomStringConvertible {
    /// The sentence.
    package let description: String

    init(_ description: String) { self.description = description }
}
