package import Plate
package import Systemd

/// Tells the system's journal of transitions: one record for each event but `FAULT`.
///
/// Faulty frames within a faulty well are in the alarm log only. Fields: `AUTOQC_EVENT`, `AUTOQC_RUN`, `AUTOQC_WELL`,
/// `AUTOQC_FRAME`, `AUTOQC_MODEL`, and for a judged frame `AUTOQC_SCORE`, `AUTOQC_SEVERITY`, `AUTOQC_CAUSE`, `AUTOQC_TERM`, `AUTOQC_ADVICE`; so
/// `journalctl AUTOQC_WELL=B01` finds a well. The journal may be absent: nothing waits for it, and a record can come
/// twice after a crash between its sending and the ledger's commit, never not at all.
package struct JournalReporter: Sendable {
    /// Hands a record to the journal; `false` where it did not take it.
    package typealias Send = @Sendable (JournalRecord) -> Bool

    /// Hands over a record.
    package let send: Send

    /// Reports to the system's journal.
    package init(journal: Journal) {
        self.init { record in
            journal.send(
                message: record.message,
                priority: record.priority,
                fields: record.fields.sorted { $0.key < $1.key }.map { JournalField($0.key, $0.value) },
                messageID: record.messageID
            )
        }
    }

    /// Reports through `send`.
    package init(send: @escaping Send) {
        self.send = send
    }

    /// The name of an event's kind in the journal and its catalog; `nil` for `fault`, which is no transition.
    package static func messageID(of event: Alarm.Event) -> String? {
        switch event {
        case .onset: "4de4892adccb42f895fe7b8d6256175f"
        case .clear: "87803eaef7474dc79c9b2f02212962d2"
        case .stalled: "be3a6babfd1d495cad929c90bd036c43"
        case .shift: "789781f981b344cba6b540c74e8233f2"
        case .drift: "0c6e11d57a3f4b0e8f526f0b35d192aa"
        case .plate: "5b7d9e0241c84f6da3e9c0d477128e3f"
        case .plateClear: "9f3077abc2d641839be154e806a9d31c"
        case .unreadable: "1d8476c2aec64a09bd6f9ffac45c659e"
        case .fault: nil
        }
    }

    /// Sends a record of a transition; `false` where the journal did not take it, `true` for `fault`, too.
    @discardableResult
    package func report(_ alarm: Alarm) -> Bool {
        guard let messageID = Self.messageID(of: alarm.event) else { return true }
        var fields = [
            "AUTOQC_EVENT": alarm.event.rawValue, "AUTOQC_RUN": alarm.frame.run,
            "AUTOQC_WELL": alarm.frame.well.description, "AUTOQC_FRAME": String(alarm.frame.index),
            "AUTOQC_MODEL": alarm.model,
        ]
        for (key, value) in AlarmLine.view(alarm.frame.view) { fields["AUTOQC_\(key.uppercased())"] = value }
        if let judgement = alarm.judgement {
            fields["AUTOQC_SCORE"] = AlarmLine.figure(judgement.score)
            fields["AUTOQC_SEVERITY"] = AlarmLine.figure(judgement.severity)
            fields["AUTOQC_CAUSE"] = judgement.cause.cause.rawValue
            fields["AUTOQC_TERM"] = judgement.term
            fields["AUTOQC_ADVICE"] = judgement.cause.cause.advice ?? "look at the frame and its mask"
        }
        if let pattern = alarm.pattern { fields["AUTOQC_PATTERN"] = pattern }
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

    private static func priority(_ event: Alarm.Event) -> JournalPriority {
        switch event {
        case .plate: .error
        case .onset, .shift, .drift, .stalled, .unreadable: .warning
        case .clear, .plateClear, .fault: .notice
        }
    }

    /// The line for people.
    static func message(_ alarm: Alarm) -> String {
        let view = alarm.frame.view.words
        let well =
            "Well \(alarm.frame.well)\(view.isEmpty ? "" : ", \(Logfmt.unquoted(view)),") of run \(Logfmt.value(alarm.frame.run))"
        let reason = alarm.reason.map { ": \(Logfmt.quoted($0))" } ?? ""
        let severity = alarm.judgement.map {
            ", severity \(AlarmLine.figure($0.severity)) (limit \(AlarmLine.figure($0.threshold)))"
        }
        switch alarm.event {
        case .onset:
            let cause = alarm.judgement.map {
                $0.cause.cause == .unknown ? "cause unknown" : $0.cause.cause.rawValue
            }
            let found = cause.map { ": \($0)\(severity ?? "")" } ?? ""
            return "\(well) turned faulty at frame \(alarm.frame.index)\(found)\(reason)"
        case .clear: return "\(well) is normal again since frame \(alarm.frame.index)\(severity ?? "")"
        case .shift: return "\(well) shifted at frame \(alarm.frame.index)\(reason)"
        case .drift: return "\(well) drifts at frame \(alarm.frame.index)\(reason)"
        case .plate: return "Run \(Logfmt.value(alarm.frame.run))\(reason)"
        case .plateClear:
            return "Run \(Logfmt.value(alarm.frame.run)): \(alarm.pattern ?? "") does not hold any more"
        case .stalled: return "\(well) gets no more frames after frame \(alarm.frame.index)\(reason)"
        case .unreadable: return "\(well): frame \(alarm.frame.index) could not be judged\(reason)"
        case .fault: return "\(well): frame \(alarm.frame.index) is faulty"
        }
    }
}

/// One structured record for the system's journal.
package struct JournalRecord: Sendable, Equatable {
    /// The line that `journalctl` shows.
    package let message: String
    /// How urgent it is.
    package let priority: JournalPriority
    /// The kind of event; `systemd/autoqc.catalog` explains each.
    package let messageID: String
    /// Fields by their upper-case names.
    package let fields: [String: String]
}
