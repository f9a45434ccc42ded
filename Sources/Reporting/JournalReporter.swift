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

    let send: Send

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
    package static func messageID(of event: Alarm.Event) -> MessageID? {
        switch event {
        case .onset: MessageID(0x4de4_892a_dccb_42f8, 0x95fe_7b8d_6256_175f)
        case .clear: MessageID(0x8780_3eae_f747_4dc7, 0x9c9b_2f02_2129_62d2)
        case .stalled: MessageID(0xbe3a_6bab_fd1d_495c, 0xad92_9c90_bd03_6c43)
        case .shift: MessageID(0x7897_81f9_81b3_44cb, 0xa6b5_40c7_4e82_33f2)
        case .drift: MessageID(0x0c6e_11d5_7a3f_4b0e, 0x8f52_6f0b_35d1_92aa)
        case .plate: MessageID(0x5b7d_9e02_41c8_4f6d, 0xa3e9_c0d4_7712_8e3f)
        case .plateClear: MessageID(0x9f30_77ab_c2d6_4183, 0x9be1_54e8_06a9_d31c)
        case .unreadable: MessageID(0x1d84_76c2_aec6_4a09, 0xbd6f_9ffa_c45c_659e)
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

    private static func message(_ alarm: Alarm) -> String {
        let well = "Well \(alarm.frame.well) of run \(Logfmt.value(alarm.frame.run))"
        let reason = alarm.reason.map { ": \(Logfmt.quoted($0))" } ?? ""
        switch alarm.event {
        case .onset:
            let judgement = alarm.judgement.map {
                " (\($0.cause.cause.rawValue), severity \(AlarmLine.figure($0.severity)))"
            }
            return "\(well) turned faulty at frame \(alarm.frame.index)\(judgement ?? "")"
        case .clear: return "\(well) is normal again since frame \(alarm.frame.index)"
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
    package let messageID: MessageID
    /// Fields by their upper-case names.
    package let fields: [String: String]

    /// Gathers a record.
    package init(message: String, priority: JournalPriority, messageID: MessageID, fields: [String: String]) {
        self.message = message
        self.priority = priority
        self.messageID = messageID
        self.fields = fields
    }
}
