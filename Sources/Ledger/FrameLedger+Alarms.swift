import GRDB
package import Plate

extension FrameLedger {
    /// The alarms of a run, of one well or one view of it, or of some frames of a well, in the order of their recording; those of `events`
    /// only.
    ///
    /// With frames it is as quick as there are few of them.
    package func alarms(
        run: String,
        well: Well? = nil,
        view: FrameView? = nil,
        frames: ClosedRange<Int>? = nil,
        events: Set<Alarm.Event> = Set(Alarm.Event.allCases)
    ) throws(LedgerError) -> [Alarm] {
        // A condition for what is given only, so that the index leads to it.
        var condition = "run = ?"
        var arguments: StatementArguments = [run]
        if let well {
            condition += " AND well = ?"
            arguments += [well.description]
        }
        if let view {
            condition += " AND view = ?"
            arguments += [view.description]
        }
        if let frames {
            condition += " AND frame BETWEEN ? AND ?"
            arguments += [frames.lowerBound, frames.upperBound]
        }
        let names = events.map(\.rawValue)
        condition += " AND event IN (\(names.map { _ in "?" }.joined(separator: ", ")))"
        arguments += StatementArguments(names)
        return try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM alarms WHERE \(condition) ORDER BY id",
                arguments: arguments
            ).compactMap(Self.alarm)
        }
    }

    /// What the wells of a run have in common now: the `plate` alarms that no `plateClear` has ended, by pattern.
    package func plateAlarms(run: String) throws(LedgerError) -> [Alarm] {
        var standing: [String: Alarm] = [:]
        for alarm in try alarms(run: run, events: [.plate, .plateClear]) {
            if let pattern = alarm.pattern { standing[pattern] = alarm.event == .plate ? alarm : nil }
        }
        return standing.sorted { $0.key < $1.key }.map(\.value)
    }

    /// How many alarms there are of a kind.
    package struct AlarmCount: Sendable, Equatable {
        /// The kind, as the alarm logs write it.
        package let event: String
        /// The probable cause; `nil` where the alarm has none.
        package let cause: String?
        /// How many.
        package let alarms: Int

        /// Gathers the three.
        package init(event: String, cause: String?, alarms: Int) {
            (self.event, self.cause, self.alarms) = (event, cause, alarms)
        }
    }

    /// Counts the alarms that were recorded after another one, by kind and cause; the number of the last one is where to go on.
    package func alarmCounts(after number: Int64) throws(LedgerError) -> (last: Int64, counts: [AlarmCount]) {
        try read { database in
            let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM alarms") ?? 0
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT event, cause, count(*) AS alarms FROM alarms WHERE id > ? AND id <= ?
                    GROUP BY event, cause ORDER BY event, cause
                    """,
                arguments: [number, last]
            )
            return (
                last, rows.map { AlarmCount(event: $0["event"], cause: $0["cause"], alarms: $0["alarms"]) }
            )
        }
    }

    /// The flagged frame of a well that was farthest above its threshold.
    package struct WorstFault: Sendable, Equatable {
        /// Its place in time.
        package let frame: Int
        /// Its severity.
        package let severity: Double
        /// The threshold that it was judged by.
        package let threshold: Double
        /// Its probable cause.
        package let cause: String?

        /// How far above the threshold it was, as a factor.
        package var ratio: Double { severity / max(threshold, .leastNormalMagnitude) }
    }

    /// The worst flagged frame of each well of a run among the alarms recorded after another one; the number of the last alarm is
    /// where to go on.
    package func worstFaults(
        of run: String,
        after number: Int64
    ) throws(LedgerError) -> (last: Int64, wells: [Well: WorstFault]) {
        try read { database in
            let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM alarms") ?? 0
            // SQLite takes the other columns from the row of the maximum.
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT well, frame, severity, threshold, cause, max(severity / threshold) FROM alarms
                    WHERE id > ? AND id <= ? AND run = ? AND event = 'FAULT' AND threshold > 0 GROUP BY well
                    """,
                arguments: [number, last, run]
            )
            let wells: [(Well, WorstFault)] = rows.compactMap { row in
                guard let well = Well(row["well"] as String), FrameID.indices.contains(row["frame"]),
                    let severity: Double = row["severity"], let threshold: Double = row["threshold"]
                else { return nil }
                let fault = WorstFault(
                    frame: row["frame"],
                    severity: severity,
                    threshold: threshold,
                    cause: row["cause"]
                )
                return (well, fault)
            }
            return (last, Dictionary(wells) { first, _ in first })
        }
    }

    private static func alarm(_ row: Row) -> Alarm? {
        guard let event = Alarm.Event(rawValue: row["event"]), let well = Well(row["well"] as String),
            let view = FrameView(row["view"] as String), FrameID.indices.contains(row["frame"])
        else { return nil }
        let reason: String = row["reason"]
        return Alarm(
            time: Timestamp(nanoseconds: row["time_ns"]),
            event: event,
            frame: FrameID(run: row["run"], well: well, view: view, index: row["frame"]),
            model: row["model"],
            pattern: row["pattern"],
            reason: reason.isEmpty ? nil : reason
        )
    }

    /// Keeps an alarm, unless the same one is there: a batch may be repeated after a crash.
    static func insert(_ alarm: Alarm, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO alarms
                (time_ns, event, run, well, view, frame, severity, threshold, cause, pattern, reason, model)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(
            arguments: [
                alarm.time.nanoseconds, alarm.event.rawValue, alarm.frame.run,
                alarm.frame.well.description, alarm.frame.view.description, alarm.frame.index,
                alarm.judgement?.severity,
                alarm.judgement?.threshold, alarm.judgement?.cause.cause.rawValue, alarm.pattern,
                alarm.reason ?? "", alarm.model,
            ]
        )
    }
}
