package import Plate

/// The frames of a run that could not be judged, `OUT/RUN/quarantine.log`.
///
/// **Format.** Like the alarm logs; keys `time`, `file` (path under the watched folder), `page`, `run`, `well`,
/// `frame`, `reason`. The files themselves stay where they are.
package struct QuarantineLog: ~Copyable {
    /// One frame that could not be judged.
    package struct Entry: Sendable, Equatable {
        /// When it was given up.
        package let time: Timestamp
        /// The page that could not be judged.
        package let source: FrameSource
        /// What the file's name says.
        package let frame: FrameID
        /// A sentence that says why.
        package let reason: String

        /// Gathers an entry.
        package init(time: Timestamp, source: FrameSource, frame: FrameID, reason: String) {
            self.time = time
            self.source = source
            self.frame = frame
            self.reason = reason
        }

        /// The entry as a line; what makes it the same announcement is all but the time.
        var fields: [(key: String, value: String)] {
            [
                ("file", source.path), ("page", String(source.page)), ("run", frame.run),
                ("well", frame.well.description), ("frame", String(frame.index)), ("reason", reason),
            ]
        }
    }

    private let file: LineFile
    private var announced: Set<Substring>

    /// Opens a run's log, made and mended where needed.
    package init(tree: OutputTree, run: String) throws(OutputError) {
        let file = try LineFile(tree.quarantineLog(run: run))
        let lines = try file.recentLines()
        self.file = file
        announced = Set(lines.map(Self.withoutTime))
    }

    /// Appends the entries that are not among the recent ones, durable when this returns.
    package mutating func append(_ entries: [Entry]) throws(OutputError) {
        let lines = entries.map { Logfmt.line([("time", $0.time.iso8601)] + $0.fields) }
        let fresh = lines.filter { !announced.contains(Self.withoutTime($0)) }
        try file.append(fresh)
        announced.formUnion(fresh.map(Self.withoutTime))
    }

    private static func withoutTime(_ line: String) -> Substring {
        line.drop { $0 != " " }
    }
}
