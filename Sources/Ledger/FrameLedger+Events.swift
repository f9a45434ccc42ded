import GRDB
package import Plate

extension FrameLedger {
    /// An event with its place in the order of recording.
    package struct NumberedEvent: Sendable, Equatable {
        /// Counts up; there may be gaps.
        package let number: Int64
        /// What happened.
        package let event: Event
    }

    /// The events that were recorded after one of them, the earliest first; all from 0 on.
    ///
    /// Rows that make no sense are passed over.
    package func events(after number: Int64, limit: Int = 1000) throws(LedgerError) -> [NumberedEvent] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?",
                arguments: [number, limit]
            ).compactMap(Self.event)
        }
    }

    /// The events of a run and of the daemon, the latest first: of some kinds, or of all for none, and before one of them.
    package func events(
        of run: String,
        kinds: Set<Event.Kind> = [],
        before number: Int64 = .max,
        limit: Int
    ) throws(LedgerError) -> [NumberedEvent] {
        let names = (kinds.isEmpty ? Set(Event.Kind.allCases) : kinds).map(\.rawValue)
        return try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM events WHERE id < ? AND run IN (?, '')
                    AND event IN (\(names.map { _ in "?" }.joined(separator: ", "))) ORDER BY id DESC LIMIT ?
                    """,
                arguments: [number, run] + StatementArguments(names) + [limit]
            ).compactMap(Self.event)
        }
    }

    /// The number of the event recorded last; 0 before the first.
    package func lastEventNumber() throws(LedgerError) -> Int64 {
        try read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM events") ?? 0 }
    }

    /// Whether the ledger has this event under this number: otherwise it is not the ledger that the number came from.
    package func hasEvent(_ id: String, number: Int64) throws(LedgerError) -> Bool {
        try read { database in
            try String.fetchOne(database, sql: "SELECT name FROM events WHERE id = ?", arguments: [number])
                == id
        }
    }

    /// Which of some kinds of events was the last one, of a view of a well, of a run's plate, or of the daemon; `nil` for none.
    package func lastEvent(
        of kinds: Set<Event.Kind>,
        run: String? = nil,
        well: Well? = nil,
        view: FrameView? = nil
    ) throws(LedgerError) -> Event.Kind? {
        let names = kinds.map(\.rawValue)
        return try read { database in
            try String.fetchOne(
                database,
                sql: """
                    SELECT event FROM events WHERE run = ? AND well = ? AND view = ?
                    AND event IN (\(names.map { _ in "?" }.joined(separator: ", "))) ORDER BY id DESC LIMIT 1
                    """,
                arguments: [run ?? "", well?.description ?? "", view?.description ?? ""]
                    + StatementArguments(names)
            ).flatMap { Event.Kind(rawValue: $0) }
        }
    }

    /// Records events of no frame; one that is known already is not recorded again.
    package func record(events: [Event]) throws(LedgerError) { try record([], events: events) }

    /// Keeps an event, unless the same one is there: a batch may be repeated after a crash.
    static func insert(_ event: Event, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO events (name, time_ns, event, run, well, view, message, data)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(
            arguments: [
                event.id, event.time.nanoseconds, event.kind.rawValue, event.run ?? "",
                event.well?.description ?? "", event.view?.description ?? "", event.message, event.data,
            ]
        )
    }

    private static func event(_ row: Row) -> NumberedEvent? {
        let (well, view): (String, String) = (row["well"], row["view"])
        guard let kind = Event.Kind(rawValue: row["event"]) else { return nil }
        let run: String = row["run"]
        return NumberedEvent(
            number: row["id"],
            event: Event(
                id: row["name"],
                time: Timestamp(nanoseconds: row["time_ns"]),
                kind: kind,
                run: run.isEmpty ? nil : run,
                well: Well(well),
                view: well.isEmpty ? nil : FrameView(view),
                message: row["message"],
                data: row["data"]
            )
        )
    }
}
