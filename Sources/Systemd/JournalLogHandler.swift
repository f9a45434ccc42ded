package import Logging

/// Sends log records to the journal, their metadata as fields: `well` becomes `AUTOQC_WELL`.
///
/// The metadata also stands behind the message, `key=value`, for those who read `journalctl` without fields.
/// A record that the journal does not take goes to stderr.
package struct JournalLogHandler: LogHandler {
    /// Least level that is logged.
    package var logLevel: Logger.Level = .info
    /// Fields of every record of this logger.
    package var metadata: Logger.Metadata = [:]
    /// Fields that come from the context of a record.
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let send: Send
    private let fallback: any LogHandler

    /// Takes a record, or `false`.
    typealias Send =
        @Sendable (_ message: String, _ priority: JournalPriority, _ fields: [JournalField]) -> Bool

    /// Logs to the journal under a logger's name.
    package init(label: String, journal: Journal = Journal()) {
        self.init(label: label, fallback: StreamLogHandler.standardError(label: label)) {
            journal.send(message: $0, priority: $1, fields: $2)
        }
    }

    /// Logs to a function.
    init(label: String, fallback: any LogHandler, send: @escaping Send) {
        self.label = label
        self.fallback = fallback
        self.send = send
    }

    /// Reads and writes one of the fields of every record.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Sends one record.
    package func log(event: LogEvent) {
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { $1 }
        all.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error { all["error"] = "\(error)" }
        let sorted = all.sorted { $0.key < $1.key }
        let text = ([event.message.description] + sorted.map { "\($0.key)=\($0.value)" }).joined(
            separator: " "
        )
        let fields =
            sorted.map { JournalField(metadataKey: $0.key, $0.value.description) } + [
                JournalField("AUTOQC_LOGGER", label), JournalField("CODE_FILE", event.file),
                JournalField("CODE_LINE", "\(event.line)"), JournalField("CODE_FUNC", event.function),
            ]
        guard !send(text, JournalPriority(event.level), fields) else { return }
        var complete = event
        complete.metadata = all
        fallback.log(event: complete)
    }
}

extension JournalPriority {
    /// The urgency of a log level.
    init(_ level: Logger.Level) {
        self =
            switch level {
            case .trace, .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
    }
}
