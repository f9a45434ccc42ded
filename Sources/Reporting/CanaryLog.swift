package import Files
import Foundation
import Plate
package import Rules
import Systemd

/// The log of the daemon's test of itself, `OUT/canary.log`.
///
/// It belongs to no run and is no part of a run's records.
///
/// **Format.** UTF-8, one `CanaryLine` and a newline for each event, append-only, fsynced. It is also the daemon's memory from
/// one start to the next: when the last round was, what earlier rounds found, and whether an alarm stands.
package struct CanaryLog: ~Copyable {
    private let file: LineFile
    /// What the recent lines say, oldest first: the last 256 KiB, some 700 rounds.
    package let events: [CanaryEvent]

    /// Opens the log.
    ///
    /// Makes it where it is missing, and mends it after a crash.
    package init(tree: OutputTree) throws(OutputError) {
        let file = try LineFile(tree.canaryLog)
        events = try file.recentLines().compactMap { CanaryLine.parse($0) }
        self.file = file
    }

    /// Appends events, durable when this returns.
    package func append(_ events: [CanaryEvent]) throws(OutputError) {
        try file.append(events.map(CanaryLine.format))
    }
}

/// One line of `canary.log`, in logfmt, without its newline.
///
/// Keys in this order: `time` (UTC, ms), `event`, `model`. For `ROUND`: `precision`, `threshold`, `sensitivity` (found by
/// copies), `found`, `copies`, for each class `air_bubble`, `artifact`, ... (found/copies), `left_out` (frames that were normal
/// and are not any more), `on` (the frames), `cost_ms` (core time). For `CANARY` and `CANARY-CLEAR`: `reason`.
/// Readers ignore keys they do not know.
enum CanaryLine {
    static func format(_ event: CanaryEvent) -> String {
        switch event {
        case .round(let round):
            return Logfmt.line(head(event, round.time, round.model) + fields(round))
        case .alarm(let transition), .clear(let transition):
            var fields = head(event, transition.time, transition.model)
            fields.append(("reason", transition.reason))
            return Logfmt.line(fields)
        }
    }

    /// More than any round has; a line that claims more is damaged.
    private static let mostCopies = 1000

    private typealias Fields = [(key: String, value: String)]

    private static func head(_ event: CanaryEvent, _ time: Timestamp, _ model: String) -> Fields {
        [("time", time.iso8601), ("event", event.name), ("model", model)]
    }

    private static func fields(_ round: CanaryRound) -> Fields {
        var fields: Fields = [
            ("precision", round.precision), ("threshold", AlarmLine.figure(round.threshold)),
        ]
        if let share = round.sensitivity { fields.append(("sensitivity", AlarmLine.figure(share))) }
        fields += [("found", String(round.found)), ("copies", String(round.copies))]
        for tally in round.tallies { fields.append((key(tally.cause), "\(tally.found)/\(tally.copies)")) }
        fields += [
            ("left_out", String(round.leftOut)), ("on", round.frames),
            ("cost_ms", String(round.cost.wholeMilliseconds)),
        ]
        return fields
    }

    /// A cause as a key: keys have no hyphen.
    private static func key(_ cause: Cause) -> String {
        cause.rawValue.replacingOccurrences(of: "-", with: "_")
    }

    static func parse(_ line: some StringProtocol) -> CanaryEvent? {
        guard let fields = Logfmt.fields(of: line), let event = fields["event"],
            let time = fields["time"].flatMap({ Timestamp(iso8601: $0) }), let model = fields["model"]
        else { return nil }
        let transition = fields["reason"].map {
            CanaryEvent.Transition(time: time, model: model, reason: $0)
        }
        switch event {
        case "CANARY": return transition.map { .alarm($0) }
        case "CANARY-CLEAR": return transition.map { .clear($0) }
        case "ROUND": return round(fields, time, model).map { .round($0) }
        default: return nil
        }
    }

    private static func round(_ fields: [String: String], _ time: Timestamp, _ model: String) -> CanaryRound?
    {
        guard let precision = fields["precision"], let threshold = fields["threshold"].flatMap({ Double($0) })
        else { return nil }
        let tallies = Cause.allCases.compactMap { cause -> CanaryRound.Tally? in
            let parts = (fields[key(cause)] ?? "").split(separator: "/").compactMap { Int($0) }
            guard parts.count == 2, 0 <= parts[0], parts[0] <= parts[1], parts[1] <= mostCopies else {
                return nil
            }
            return CanaryRound.Tally(cause: cause, copies: parts[1], found: parts[0])
        }
        return CanaryRound(
            time: time,
            model: model,
            precision: precision,
            threshold: threshold,
            frames: fields["on"] ?? "",
            leftOut: fields["left_out"].flatMap { Int($0) } ?? 0,
            tallies: tallies,
            cost: .milliseconds(fields["cost_ms"].flatMap { Int($0) } ?? 0)
        )
    }
}

extension JournalReporter {
    /// The name of an event's kind in the journal and its catalog.
    package static func messageID(of event: CanaryEvent) -> String {
        switch event {
        case .round: "1bee789160fa4f069823a5d381455d7e"
        case .alarm: "fd151be7747b44e3bf18c9adb23996bf"
        case .clear: "25aff1feb0ed4fe7a37899be03e6f547"
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
            fields["AUTOQC_REASON"] = round.words
            fields["AUTOQC_SENSITIVITY"] = round.sensitivity.map(AlarmLine.figure)
            fields["AUTOQC_FOUND"] = String(round.found)
            fields["AUTOQC_COPIES"] = String(round.copies)
        case .alarm(let transition), .clear(let transition):
            fields["AUTOQC_MODEL"] = transition.model
            fields["AUTOQC_REASON"] = transition.reason
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
