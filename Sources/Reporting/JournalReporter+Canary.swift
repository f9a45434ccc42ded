import Plate
package import Systemd

extension JournalReporter {
    /// The name of an event's kind in the journal and its catalog.
    package static func messageID(of event: CanaryEvent) -> MessageID {
        switch event {
        case .round: MessageID(0x1bee_7891_60fa_4f06, 0x9823_a5d3_8145_5d7e)
        case .alarm: MessageID(0xfd15_1be7_747b_44e3, 0xbf18_c9ad_b239_96bf)
        case .clear: MessageID(0x25af_f1fe_b0ed_4fe7, 0xa378_99be_03e6_f547)
        }
    }

    /// Sends a record of the daemon's test of itself; `false` where the journal did not take it.
    ///
    /// Fields: `AUTOQC_EVENT`, `AUTOQC_MODEL`, `AUTOQC_REASON`, and of a round `AUTOQC_SENSITIVITY`, `AUTOQC_FOUND`,
    /// `AUTOQC_COPIES`. None names a run or a well.
    @discardableResult
    package func report(_ event: CanaryEvent) -> Bool {
        var fields = ["AUTOQC_EVENT": event.name]
        switch event {
        case .round(let round):
            fields["AUTOQC_MODEL"] = round.model
            fields["AUTOQC_REASON"] = CanaryRule.words(round.tallies)
            fields["AUTOQC_SENSITIVITY"] = round.sensitivity.map(AlarmLine.figure)
            fields["AUTOQC_FOUND"] = String(round.found)
            fields["AUTOQC_COPIES"] = String(round.copies)
        case .alarm(let turn), .clear(let turn):
            fields["AUTOQC_MODEL"] = turn.model
            fields["AUTOQC_REASON"] = turn.reason
        }
        return send(
            JournalRecord(
                message: event.sentence,
                priority: Self.priority(event),
                messageID: Self.messageID(of: event),
                fields: fields
            )
        )
    }

    private static func priority(_ event: CanaryEvent) -> JournalPriority {
        switch event {
        case .round: .info
        case .alarm: .warning
        case .clear: .notice
        }
    }
}
