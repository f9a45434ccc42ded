import Foundation
package import Plate

/// One line of an alarm log, in logfmt, without its newline.
///
/// Keys in this order: `time` (UTC, ms), `event`, `run`, `well`, `frame`; for a judged frame `score`, `threshold`,
/// `severity`, `cause`, `confidence` (0 to 1, of a cause that is known), `area` (share of the frame), `bbox`
/// (`x,y,width,height` in pixels), `mask` (relative to the run's folder), `tier` where it is not `full` (see `Tier`); for `ONSET` `first_faulty` and `last_good` (frames);
/// `pattern` for `PLATE`; `reason` where there is one; `model`; `latency_ms`. Figures have four significant digits.
/// Readers ignore keys they do not know. A name from outside cannot forge a field or a line: see `Logfmt`.
package enum AlarmLine {
    /// Writes an alarm.
    package static func format(_ alarm: Alarm) -> String {
        var fields: [(key: String, value: String)] = [
            ("time", alarm.time.iso8601), ("event", alarm.event.rawValue), ("run", alarm.frame.run),
            ("well", alarm.frame.well.description), ("frame", String(alarm.frame.index)),
        ]
        if let finding = alarm.finding {
            fields += [
                ("score", figure(finding.score)), ("threshold", figure(finding.threshold)),
                ("severity", figure(finding.severity)), ("cause", finding.cause),
            ]
            if let confidence = finding.confidence { fields.append(("confidence", figure(confidence))) }
            fields.append(("area", figure(finding.area)))
            if let box = finding.boundingBox { fields.append(("bbox", box.description)) }
            if let mask = finding.mask { fields.append(("mask", mask)) }
            if finding.tier != .full { fields.append(("tier", finding.tier.rawValue)) }
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
            finding: finding(fields),
            pattern: fields["pattern"],
            beginning: fields["first_faulty"].flatMap { Int($0) }.map {
                Alarm.Beginning(firstFaulty: $0, lastGood: fields["last_good"].flatMap { Int($0) })
            },
            reason: fields["reason"],
            latencyMilliseconds: fields["latency_ms"].flatMap { Int($0) }
        )
    }

    private static func finding(_ fields: [String: String]) -> Alarm.Finding? {
        let number = { (key: String) in fields[key].flatMap { Double($0) } }
        guard let score = number("score"), let threshold = number("threshold"),
            let severity = number("severity"), let cause = fields["cause"], let area = number("area")
        else { return nil }
        let sides = (fields["bbox"] ?? "").split(separator: ",", omittingEmptySubsequences: false).compactMap
        { Int($0) }
        let box =
            sides.count == 4
            ? PixelRectangle(x: sides[0], y: sides[1], width: sides[2], height: sides[3]) : nil
        return Alarm.Finding(
            score: score,
            threshold: threshold,
            severity: severity,
            cause: cause,
            confidence: number("confidence"),
            area: area,
            boundingBox: box,
            mask: fields["mask"],
            tier: fields["tier"].flatMap(Tier.init(rawValue:)) ?? .full
        )
    }

    /// Four significant digits, as short as they can be written.
    static func figure(_ value: Double) -> String {
        String(format: "%.4g", value)
    }
}
