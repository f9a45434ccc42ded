import Foundation
import Plate

/// One line of `canary.log`, in logfmt, without its newline.
///
/// Keys in this order: `time` (UTC, ms), `event`, `model`. For `ROUND`: `precision`, `threshold`, `sensitivity` (found by
/// copies), `found`, `copies`, for each class `air_bubble`, `artifact`, ... (found/copies), `left_out` (frames that are not
/// normal any more, unchanged), `on` (the frames), `cost_ms` (core time). For `CANARY` and `CANARY-CLEAR`: `reason`.
/// Readers ignore keys they do not know.
enum CanaryLine {
    static func format(_ event: CanaryEvent) -> String {
        switch event {
        case .round(let round):
            return Logfmt.line(head(event, round.time, round.model) + fields(round))
        case .alarm(let turn), .clear(let turn):
            var fields = head(event, turn.time, turn.model)
            fields.append(("reason", turn.reason))
            return Logfmt.line(fields)
        }
    }

    /// More than any round has; what claims more is no line of ours.
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
            ("cost_ms", String(Int(round.cost / .milliseconds(1)))),
        ]
        return fields
    }

    /// A cause as a key: keys have no hyphen.
    private static func key(_ cause: Cause) -> String {
        cause.rawValue.replacingOccurrences(of: "-", with: "_")
    }

    /// Reads a line; `nil` for one that is no event.
    static func parse(_ line: some StringProtocol) -> CanaryEvent? {
        guard let fields = Logfmt.fields(of: line), let event = fields["event"],
            let time = fields["time"].flatMap({ Timestamp(iso8601: $0) }), let model = fields["model"]
        else { return nil }
        let turn = fields["reason"].map { CanaryEvent.Turn(time: time, model: model, reason: $0) }
        switch event {
        case "CANARY": return turn.map { .alarm($0) }
        case "CANARY-CLEAR": return turn.map { .clear($0) }
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
