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
    /// The last `onset` or `clear` among the recent lines.
    package private(set) var lastTransition: Alarm.Event?

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
        if alarm.event == .onset || alarm.event == .clear { lastTransition = alarm.event }
    }
}
