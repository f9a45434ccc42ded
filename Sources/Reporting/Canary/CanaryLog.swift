/// The log of the daemon's test of itself, `OUT/canary.log`: of no run, and no part of any run's records.
///
/// **Format.** UTF-8, one `CanaryLine` and a newline for each event, append-only, fsynced. It is also the daemon's memory from
/// one start to the next: when the last round was, what earlier ones found, and whether an alarm stands.
package struct CanaryLog: ~Copyable {
    private let file: LineFile
    /// What the recent lines say, oldest first: the last 256 KiB, some 700 rounds.
    package let events: [CanaryEvent]

    /// Opens the log, made and mended where needed.
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
