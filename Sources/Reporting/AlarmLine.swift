import Foundation
package import Plate

/// One line of an alarm log, in logfmt, without its newline.
///
/// Keys in this order: `time` (UTC, ms), `event`, `run`, `well`, `frame`; for a judged frame `score`, `threshold`,
/// `severity`, `cause`, `confidence` (0 to 1, of a known cause), `term` (the term of the severity that adds most, where the
/// severity is above the threshold), `area` (share of the frame), `bbox` (`x,y,width,height` in pixels), `mask` (relative to
/// the run's folder), `tier` where it is not `full` (see `Tier`); for `ONSET` `first_faulty` and `last_good` (frames);
/// `pattern` for `PLATE`; `reason` where there is one; `model`; `latency_ms`. Figures have four significant digits.
///
/// Readers ignore keys they do not know. `parse` ignores `term`: the value that belongs to it is in the ledger only. A name
/// from outside cannot forge a field or a line: see `Logfmt`.
package enum AlarmLine {
    /// Writes an alarm.
    package static func format(_ alarm: Alarm) -> String {
        var fields: [(key: String, value: String)] = [
            ("time", alarm.time.iso8601), ("event", alarm.event.rawValue), ("run", alarm.frame.run),
            ("well", alarm.frame.well.description), ("frame", String(alarm.frame.index)),
        ]
        if let judgement = alarm.judgement {
            fields += [
                ("score", figure(judgement.score)), ("threshold", figure(judgement.threshold)),
                ("severity", figure(judgement.severity)), ("cause", judgement.cause.cause.rawValue),
            ]
            if let confidence = judgement.confidence { fields.append(("confidence", figure(confidence))) }
            if let term = judgement.term { fields.append(("term", term)) }
            fields.append(("area", figure(judgement.area)))
            if let box = judgement.boundingBox { fields.append(("bbox", box.description)) }
            if let mask = judgement.maskPath { fields.append(("mask", mask)) }
            if judgement.tier != .full { fields.append(("tier", judgement.tier.rawValue)) }
        }
        if let beginning = alarm.beginning {
            fields.append(("first_faulty", String(beginning.firstFaulty)))
            if let last = beginning.lastGood { fields.append(("last_good", String(last))) }
        }
        if let pattern = alarm.pattern { fields.append(("pattern", pattern)) }
        if let reason = alarm.reason { fields.append(("reason", reason)) }
        fields.append(("model", alarm.model))
        if let latency = alarm.latencyMilliseconds { fields.append(("latency_ms", String(latency))) }
        return Logfmt.line(fields)
    }

    /// Reads a line; `nil` for one that is no alarm.
    package static func parse(_ line: some StringProtocol) -> Alarm? {
        guard let fields = Logfmt.fields(of: line),
            let time = fields["time"].flatMap({ Timestamp(iso8601: $0) }),
            let event = fields["event"].flatMap(Alarm.Event.init(rawValue:)), let run = fields["run"],
            let well = fields["well"].flatMap({ Well($0) }), let index = fields["frame"].flatMap({ Int($0) }),
            let model = fields["model"]
        else { return nil }
        return Alarm(
            time: time,
            event: event,
            frame: FrameID(run: run, well: well, index: index),
            model: model,
            judgement: judgement(fields, of: event),
            pattern: fields["pattern"],
            beginning: fields["first_faulty"].flatMap { Int($0) }.map {
                Alarm.Beginning(firstFaulty: $0, lastGood: fields["last_good"].flatMap { Int($0) })
            },
            reason: fields["reason"],
            latencyMilliseconds: fields["latency_ms"].flatMap { Int($0) }
        )
    }

    private static func judgement(_ fields: [String: String], of event: Alarm.Event) -> Judgement? {
        let number = { (key: String) in fields[key].flatMap { Double($0) } }
        guard let score = number("score"), let threshold = number("threshold"),
            let severity = number("severity"), let cause = fields["cause"], let area = number("area")
        else { return nil }
        let sides = (fields["bbox"] ?? "").split(separator: ",", omittingEmptySubsequences: false).compactMap
        { Int($0) }
        let box =
            sides.count == 4
            ? PixelRectangle(x: sides[0], y: sides[1], width: sides[2], height: sides[3]) : nil
        var judgement = Judgement(
            verdict: Verdict(severity: severity, threshold: threshold),
            severity: severity,
            threshold: threshold,
            scores: nil,
            score: score,
            cause: ProbableCause(Cause(rawValue: cause) ?? .unknown, confidence: number("confidence") ?? 0),
            area: area,
            boundingBox: box
        )
        // The figures are rounded, and a frozen image is faulty whatever they say.
        if event == .fault || event == .onset { judgement.verdict = .faulty }
        judgement.maskPath = fields["mask"]
        judgement.tier = fields["tier"].flatMap(Tier.init(rawValue:)) ?? .full
        return judgement
    }

    /// Four significant digits, as short as they can be written.
    static func figure(_ value: Double) -> String {
        String(format: "%.4g", value)
    }
}
