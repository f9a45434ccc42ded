import GRDB
package import Plate

extension FrameLedger {
    /// An alarm as the ledger keeps it.
    package struct AlarmRecord: Sendable, Equatable {
        /// When it was raised.
        package let time: Timestamp
        /// What happened.
        package let event: Alarm.Event
        /// The frame it was seen on.
        package let frame: FrameID
        /// How far from normal the frame was; `nil` where it was not judged.
        package let severity: Double?
        /// Severity above which it was faulty.
        package let threshold: Double?
        /// Probable cause.
        package let cause: String?
        /// What several wells have in common, for `plate` and `plateClear`.
        package let pattern: String?
        /// Why a frame could not be judged, or how long frames have been missing.
        package let reason: String?
        /// Name of the model at work.
        package let model: String
    }

    /// The alarms of a run, or of one well of it, in the order of their recording; those of `events` only.
    package func alarms(
        run: String,
        well: Well? = nil,
        events: Set<Alarm.Event> = Set(Alarm.Event.allCases)
    ) throws(LedgerError) -> [AlarmRecord] {
        // In words of its own with a well and without one, so that the index leads to the well's.
        try alarms(
            where: "run = ?" + (well == nil ? "" : " AND well = ?"),
            StatementArguments([run] + (well.map { [$0.description] } ?? [])),
            events
        )
    }

    /// The alarms of some frames of a well, in the order of their recording; as quick as there are few frames.
    package func alarms(
        run: String,
        well: Well,
        frames: ClosedRange<Int>,
        events: Set<Alarm.Event>
    ) throws(LedgerError) -> [AlarmRecord] {
        try alarms(
            where: "run = ? AND well = ? AND frame BETWEEN ? AND ?",
            [run, well.description, frames.lowerBound, frames.upperBound],
            events
        )
    }

    private func alarms(
        where condition: String,
        _ arguments: StatementArguments,
        _ events: Set<Alarm.Event>
    ) throws(LedgerError) -> [AlarmRecord] {
        try read { database in
            let names = events.map(\.rawValue)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM alarms WHERE \(condition)
                    AND event IN (\(names.map { _ in "?" }.joined(separator: ", "))) ORDER BY id
                    """,
                arguments: arguments + StatementArguments(names)
            )
            return rows.compactMap(Self.alarm)
        }
    }

    /// What the wells of a run have in common now: the `plate` alarms that no `plateClear` has ended, by pattern.
    package func plateAlarms(run: String) throws(LedgerError) -> [AlarmRecord] {
        let standing = try alarms(run: run, events: [.plate, .plateClear]).reduce(
            into: [String: AlarmRecord]()
        ) {
            standing,
            alarm in
            guard let pattern = alarm.pattern else { return }
            standing[pattern] = alarm.event == .plate ? alarm : nil
        }
        return standing.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func alarm(_ row: Row) -> AlarmRecord? {
        guard let event = Alarm.Event(rawValue: row["event"]), let well = Well(row["well"] as String) else {
            return nil
        }
        let reason: String = row["reason"]
        return AlarmRecord(
            time: Timestamp(nanoseconds: row["time_ns"]),
            event: event,
            frame: FrameID(run: row["run"], well: well, index: row["frame"]),
            severity: row["severity"],
            threshold: row["threshold"],
            cause: row["cause"],
            pattern: row["pattern"],
            reason: reason.isEmpty ? nil : reason,
            model: row["model"]
        )
    }

    /// Keeps an alarm, unless the same one is there: a batch may be repeated after a crash.
    static func insert(_ alarm: Alarm, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO alarms
                (time_ns, event, run, well, frame, severity, threshold, cause, pattern, reason, model)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(
            arguments: [
                alarm.time.nanoseconds, alarm.event.rawValue, alarm.frame.run,
                alarm.frame.well.description, alarm.frame.index, alarm.judgement?.severity,
                alarm.judgement?.threshold, alarm.judgement?.cause.cause.rawValue, alarm.pattern,
                alarm.reason ?? "", alarm.model,
            ]
        )
    }
}
