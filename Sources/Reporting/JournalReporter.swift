public import Plate

/// Tells the system's journal of transitions: one record for each `ONSET`, `CLEAR`, `STALLED` and `UNREADABLE`.
///
/// Faulty frames within a faulty well are in the alarm log only. Fields: `AUTOQC_EVENT`, `AUTOQC_RUN`, `AUTOQC_WELL`,
/// `AUTOQC_FRAME`, `AUTOQC_MODEL`, and for a judged frame `AUTOQC_SCORE`, `AUTOQC_SEVERITY`, `AUTOQC_CAUSE`; so
/// `journalctl AUTOQC_WELL=B01` finds a well. The journal may be absent: nothing waits for it, and a record can come
/// twice after a crash between its sending and the ledger's commit, never not at all.
public struct JournalReporter: Sendable {
    /// Hands a record to the journal; `false` where it did not take it.
    public typealias Send = @Sendable (JournalRecord) -> Bool

    private let send: Send

    /// Reports through `send`.
    public init(send: @escaping Send) {
        self.send = send
    }

    /// The name of an event's kind in the journal and its catalog; `nil` for `fault`, which is no transition.
    public static func messageID(of event: Alarm.Event) -> String? {
        switch event {
        case .onset: "4de4892adccb42f895fe7b8d6256175f"
        case .clear: "87803eaef7474dc79c9b2f02212962d2"
        case .stalled: "be3a6babfd1d495cad929c90bd036c43"
        case .unreadable: "1d8476c2aec64a09bd6f9ffac45c659e"
        case .fault: nil
        }
    }

    /// Sends a record of a transition; `false` where the journal did not take it, `true` for `fault`, too.
    @discardableResult
    public func report(_ alarm: Alarm) -> Bool {
        guard let messageID = Self.messageID(of: alarm.event) else { return true }
        var fields = [
            "AUTOQC_EVENT": alarm.event.rawValue, "AUTOQC_RUN": alarm.frame.run,
            "AUTOQC_WELL": alarm.frame.well.description, "AUTOQC_FRAME": String(alarm.frame.index),
            "AUTOQC_MODEL": alarm.model,
        ]
        if let finding = alarm.finding {
            fields["AUTOQC_SCORE"] = AlarmLine.figure(finding.score)
            fields["AUTOQC_SEVERITY"] = AlarmLine.figure(finding.severity)
            fields["AUTOQC_CAUSE"] = finding.cause
        }
        if let reason = alarm.reason { fields["AUTOQC_REASON"] = reason }
        return send(
            JournalRecord(
                message: Self.message(alarm),
                priority: Self.priority(alarm.event),
                messageID: messageID,
                fields: fields
            )
        )
    }

    private static func priority(_ event: Alarm.Event) -> JournalRecord.Priority {
        switch event {
        case .onset, .stalled, .unreadable: .warning
        case .clear, .fault: .notice
        }
    }

    private static func message(_ alarm: Alarm) -> String {
        let well = "Well \(alarm.frame.well) of run \(Logfmt.value(alarm.frame.run))"
        let reason = alarm.reason.map { ": \(Logfmt.quoted($0))" } ?? ""
        switch alarm.event {
        case .onset:
            let finding = alarm.finding.map {
                " (\($0.cause), severity \(AlarmLine.figure($0.severity)))"
            }
            return "\(well) turned faulty at frame \(alarm.frame.index)\(finding ?? "")"
        case .clear: return "\(well) is normal again since frame \(alarm.frame.index)"
        case .stalled: return "\(well) gets no more frames after frame \(alarm.frame.index)\(reason)"
        case .unreadable: return "\(well): frame \(alarm.frame.index) could not be judged\(reason)"
        case .fault: return "\(well): frame \(alarm.frame.index) is faulty"
        }
    }
}
