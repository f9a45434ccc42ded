package import Files
import Foundation
package import Plate

/// The alarm log of one well of a run, `OUT/RUN/alarms/WELL.log`, or of all of them together, `plate.log`.
///
/// **Format.** UTF-8, one `AlarmLine` and a newline for each event, append-only, each line written by one system
/// call, fsynced before the ledger learns of the frame. Opening it cuts off what a crash left after the last newline.
///
/// A frame is reported before the ledger knows that it is done, so that no crash loses an alarm; the line of a
/// frame that is judged a second time for that reason is found by `contains` and not written again. Open a log for
/// a batch, and let it go: it is the only memory of what was announced.
package struct AlarmLog: ~Copyable {
    /// What makes two lines the same announcement.
    private struct Key: Hashable {
        let event: Alarm.Event
        let frame: FrameID
        let model: String
        let reason: String?

        init(_ alarm: Alarm) {
            event = alarm.event
            frame = alarm.frame
            model = alarm.model
            reason = alarm.reason.map { String($0.unicodeScalars.prefix(Logfmt.longestValue)) }
        }
    }

    private let file: LineFile
    private var announced: Set<Key> = []
    /// The last `onset` or `clear` of each view among the recent lines.
    package private(set) var lastTransitions: [FrameView: Alarm.Event] = [:]

    /// Opens a well's log, made and mended where needed.
    package init(tree: OutputTree, run: String, well: Well) throws(OutputError) {
        try self.init(path: tree.alarmLog(run: run, well: well))
    }

    /// Opens the log of what a run's wells have in common.
    package init(plateOf run: String, tree: OutputTree) throws(OutputError) {
        try self.init(path: tree.plateLog(run: run))
    }

    private init(path: String) throws(OutputError) {
        let file = try LineFile(path)
        let lines = try file.recentLines()
        self.file = file
        for alarm in lines.compactMap({ AlarmLine.parse($0) }) { remember(alarm) }
    }

    /// Whether the recent lines already hold this event of this frame by this model for this reason.
    ///
    /// Recent are the last 256 KiB, more than one batch can write.
    package func contains(_ alarm: Alarm) -> Bool {
        announced.contains(Key(alarm))
    }

    /// Appends the alarms that are not in the log yet, durable when this returns, and returns them.
    @discardableResult
    package mutating func append(_ alarms: [Alarm]) throws(OutputError) -> [Alarm] {
        var fresh: [Alarm] = []
        var keys = announced
        for alarm in alarms where keys.insert(Key(alarm)).inserted { fresh.append(alarm) }
        try file.append(fresh.map(AlarmLine.format))
        fresh.forEach { remember($0) }
        return fresh
    }

    private mutating func remember(_ alarm: Alarm) {
        announced.insert(Key(alarm))
        if alarm.event == .onset || alarm.event == .clear { lastTransitions[alarm.frame.view] = alarm.event }
    }
}

/// One line of an alarm log, in logfmt, without its newline.
///
/// Keys in this order: `time` (UTC, ms), `event`, `run`, `well`, where the name tells them `field`,
/// `channel` and `plane`, `frame`; for a judged frame `severity`, the
/// `threshold` that it is compared with, and `score` (of the residual alone; compared with nothing). In a line about a fault: `cause`,
/// `confidence` (0 to 1, of a known cause), `term` (the term of the severity that adds most, where the
/// severity is above the threshold), `area` (share of the frame), `extent` (`frame` where all of it is faulty, as out of focus),
/// `bbox` (`x,y,width,height` in pixels), `verdict` (`normal`, in an `ONSET` line of a frame that passes: the frames together are the
/// evidence), `mask` (relative to the run's folder), `tier` where it is not `full` (see `Tier`); for `ONSET` `first_faulty` and
/// `last_good` (frames);
/// `pattern` for `PLATE`; `reason` where there is one; `model`; `latency_ms`. Figures have four significant digits.
///
/// Readers ignore keys they do not know. `parse` ignores `term`: the value that belongs to it is in the ledger only. A name
/// from outside cannot forge a field or a line: see `Logfmt`.
package enum AlarmLine {
    /// Writes an alarm.
    package static func format(_ alarm: Alarm) -> String {
        var fields: [(key: String, value: String)] = [
            ("time", alarm.time.iso8601), ("event", alarm.event.rawValue), ("run", alarm.frame.run),
            ("well", alarm.frame.well.description),
        ]
        fields += view(alarm.frame.view) + [("frame", String(alarm.frame.index))]
        if let judgement = alarm.judgement {
            fields += [
                ("severity", figure(judgement.severity)), ("threshold", figure(judgement.threshold)),
                ("score", figure(judgement.score)),
            ]
        }
        if let judgement = alarm.judgement, alarm.isOfFault {
            fields.append(("cause", judgement.cause.cause.rawValue))
            if let confidence = judgement.confidence { fields.append(("confidence", figure(confidence))) }
            if let term = judgement.term { fields.append(("term", term)) }
            fields.append(("area", figure(judgement.area)))
            if judgement.area >= 1 { fields.append(("extent", "frame")) }
            if let box = judgement.boundingBox { fields.append(("bbox", box.description)) }
            if alarm.event == .onset, judgement.verdict == .normal {
                fields.append(("verdict", judgement.verdict.rawValue))
            }
            if let mask = judgement.maskPath { fields.append(("mask", mask)) }
        }
        if let tier = alarm.judgement?.tier, tier != .full { fields.append(("tier", tier.rawValue)) }
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
            FrameID.indices.contains(index),
            let model = fields["model"]
        else { return nil }
        return Alarm(
            time: time,
            event: event,
            frame: FrameID(run: run, well: well, view: view(fields), index: index),
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

    /// The keys of a view, as far as it is told.
    static func view(_ view: FrameView) -> [(key: String, value: String)] {
        [
            view.field.map { ("field", String($0)) }, view.channel.map { ("channel", $0) },
            view.plane.map { ("plane", String($0)) },
        ].compactMap(\.self)
    }

    private static func view(_ fields: [String: String]) -> FrameView {
        FrameView(
            field: fields["field"].flatMap { Int($0) },
            channel: fields["channel"],
            plane: fields["plane"].flatMap { Int($0) }
        )
    }

    private static func judgement(_ fields: [String: String], of event: Alarm.Event) -> Judgement? {
        let number = { (key: String) in fields[key].flatMap { Double($0) } }
        guard let score = number("score"), let threshold = number("threshold"),
            let severity = number("severity")
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
            cause: ProbableCause(
                fields["cause"].flatMap(Cause.init(rawValue:)) ?? .unknown,
                confidence: number("confidence").flatMap { (0...1).contains($0) ? $0 : nil } ?? 0
            ),
            area: number("area") ?? 0,
            boundingBox: box
        )
        // The figures are rounded, and a frozen image is faulty whatever they say.
        let isFaulty = fields["verdict"] != Verdict.normal.rawValue
        if event == .fault || event == .onset, isFaulty { judgement.verdict = .faulty }
        judgement.maskPath = fields["mask"]
        judgement.tier = fields["tier"].flatMap(Tier.init(rawValue:)) ?? .full
        return judgement
    }

    /// Four significant digits, as short as they can be written.
    static func figure(_ value: Double) -> String {
        String(format: "%.4g", value)
    }
}

/// Reads what is appended to the alarm logs of an output folder, of runs and wells that come later, too.
package struct AlarmFollower {
    /// One line as it stands in its log, and what it says.
    package struct Line: Sendable, Equatable {
        /// The line, without its newline.
        package let text: String
        /// What it says.
        package let alarm: Alarm
    }

    private let tree: OutputTree
    private let run: String?
    private let wells: Set<Well>
    private var offsets: [ExactPath: UInt64] = [:]

    /// Follows one run or all, some wells or all (none given).
    package init(tree: OutputTree, run: String? = nil, wells: Set<Well> = []) {
        self.tree = tree
        self.run = run
        self.wells = wells
    }

    /// The lines that came since the last call, in the order of their time; all that are there at the first.
    ///
    /// A line that is not finished yet is left for the next call; a log that became shorter is read anew. What is no alarm is
    /// passed over.
    package mutating func next() throws(OutputError) -> [Line] {
        var lines: [Line] = []
        for run in try runs() {
            let folder = "\(tree.root)/\(run)/alarms"
            for name in try Durable.entries(of: folder) where name.hasSuffix(".log") {
                guard wells.isEmpty || Well(name.dropLast(4)).map(wells.contains) == true else { continue }
                lines += try read("\(folder)/\(name)")
            }
        }
        return lines.sorted { $0.alarm.time < $1.alarm.time }
    }

    private func runs() throws(OutputError) -> [String] {
        if let run { return [OutputTree.name(ofRun: run)] }
        return try Durable.entries(of: tree.root).filter { !OutputTree.isOwn($0) }
    }

    private mutating func read(_ path: String) throws(OutputError) -> [Line] {
        let handle = try Durable.Handle(path, flags: O_RDONLY | O_NOFOLLOW)
        let size = try handle.size()
        let start = offsets[ExactPath(path)].map(Int.init).flatMap { $0 <= size ? $0 : nil } ?? 0
        let bytes = try handle.read(at: start, count: size - start)
        let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        offsets[ExactPath(path)] = UInt64(start + whole)
        return bytes.prefix(whole).split(separator: UInt8(ascii: "\n")).compactMap { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            return AlarmLine.parse(text).map { Line(text: text, alarm: $0) }
        }
    }
}

/// The frames of a run that could not be judged, `OUT/RUN/quarantine.log`.
///
/// **Format.** Like the alarm logs; keys `time`, `file` (path under the watched folder), `page`, `run`, `well`, where the
/// name tells them `field`, `channel` and `plane`, `frame`, `reason`. The files themselves stay where they are.
package struct QuarantineLog: ~Copyable {
    private let file: LineFile
    private var announced: Set<Substring>

    /// Opens a run's log, made and mended where needed.
    package init(tree: OutputTree, run: String) throws(OutputError) {
        let file = try LineFile(tree.quarantineLog(run: run))
        let lines = try file.recentLines()
        self.file = file
        announced = Set(lines.map(Self.withoutTime))
    }

    /// Appends the quarantined ones of some frames that are not among the recent ones, durable when this returns.
    package mutating func append(_ records: [FrameRecord]) throws(OutputError) {
        let lines = records.compactMap(Self.line)
        let fresh = lines.filter { !announced.contains(Self.withoutTime($0)) }
        try file.append(fresh)
        announced.formUnion(fresh.map(Self.withoutTime))
    }

    private static func line(_ record: FrameRecord) -> String? {
        guard case .quarantined(let reason) = record.outcome, let frame = record.frame else { return nil }
        let place = [
            ("time", record.judged.iso8601), ("file", record.source.path),
            ("page", String(record.source.page)), ("run", frame.run), ("well", frame.well.description),
        ]
        return Logfmt.line(
            place + AlarmLine.view(frame.view) + [("frame", String(frame.index)), ("reason", reason)]
        )
    }

    /// What makes two lines the same announcement.
    private static func withoutTime(_ line: String) -> Substring {
        line.drop { $0 != " " }
    }
}
