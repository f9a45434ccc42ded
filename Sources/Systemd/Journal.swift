import CSystemd
import Glibc
package import Logging

/// Writes structured records to the systemd journal.
package struct Journal: Sendable {
    private let identifier: String

    private static let socket = "/run/systemd/journal/socket"

    /// Records are marked with the program's name (`SYSLOG_IDENTIFIER`).
    package init(identifier: String = "autoqc") {
        self.identifier = identifier
    }

    /// Whether a journal listens on this machine.
    package static var isPresent: Bool { unsafe access(socket, W_OK) == 0 }

    /// Writes one record.
    ///
    /// - Parameters:
    ///   - message: The sentence that `journalctl` shows; may have several lines.
    ///   - priority: How urgent it is.
    ///   - fields: What it can be found by, kept in this order.
    ///   - messageID: The kind of event, which the catalog explains: 32 hexadecimal digits, drawn once (`systemd-id128 new`).
    /// - Returns: Whether the journal took it: `false`, and nothing else, where there is none.
    @discardableResult
    package func send(
        message: String,
        priority: JournalPriority,
        fields: [JournalField] = [],
        messageID: String? = nil
    ) -> Bool {
        // The library calls it a success when nobody listens.
        guard Self.isPresent else { return false }
        var all = [
            JournalField("MESSAGE", message), JournalField("PRIORITY", "\(priority.rawValue)"),
            JournalField("SYSLOG_IDENTIFIER", identifier),
        ]
        if let messageID { all.append(JournalField("MESSAGE_ID", messageID)) }
        return Self.send(all + fields)
    }

    /// Lays all fields out in one buffer that outlives the call.
    private static func send(_ fields: [JournalField]) -> Bool {
        var bytes: [UInt8] = []
        let ranges = fields.map { field in
            let start = bytes.count
            bytes += field.name.utf8
            bytes.append(UInt8(ascii: "="))
            bytes += field.value
            return start..<bytes.count
        }
        let code = unsafe bytes.withUnsafeMutableBytes { buffer in
            let parts = unsafe ranges.map { range in
                unsafe iovec(
                    iov_base: buffer.baseAddress?.advanced(by: range.lowerBound),
                    iov_len: range.count
                )
            }
            return unsafe sd_journal_sendv(parts, Int32(parts.count))
        }
        return code >= 0
    }
}

/// One field of a journal record, for example `AUTOQC_WELL=B01`.
package struct JournalField: Sendable, Equatable {
    /// Upper-case letters, digits and `_`, at most 64, beginning with a letter.
    package let name: String
    /// Any bytes.
    package let value: [UInt8]

    /// A field of text; a name that the journal would drop is a programmer's mistake.
    package init(_ name: String, _ value: String) {
        self.init(name, bytes: Array(value.utf8))
    }

    /// A field of any bytes; a name that the journal would drop is a programmer's mistake.
    package init(_ name: String, bytes: [UInt8]) {
        precondition(Self.isValid(name: name), "'\(name)' is not the name of a journal field")
        self.name = name
        value = bytes
    }

    /// A field named after any text, upper-cased and prefixed: `well` and `autoqc_well` are `AUTOQC_WELL`.
    init(metadataKey key: String, _ value: String) {
        var name = key.utf8.map { byte in
            let upper = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte - 0x20 : byte
            return Self.isAllowed(upper) ? upper : UInt8(ascii: "_")
        }
        if !name.starts(with: Self.prefix) { name = Self.prefix + name }
        self.name = String(decoding: name.prefix(Self.longestName), as: UTF8.self)
        self.value = Array(value.utf8)
    }

    /// Whether the journal keeps a field of this name from a program.
    package static func isValid(name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= longestName else { return false }
        return first >= UInt8(ascii: "A") && first <= UInt8(ascii: "Z") && name.utf8.allSatisfy(isAllowed)
    }

    private static let longestName = 64
    private static let prefix = Array("AUTOQC_".utf8)

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// How urgent a journal record is, as in `syslog(3)`.
package enum JournalPriority: Int, Sendable, CaseIterable {
    /// The system is unusable.
    case emergency
    /// Action must be taken at once.
    case alert
    /// Critical.
    case critical
    /// Data is lost or an operator is needed.
    case error
    /// Odd, but nothing is lost.
    case warning
    /// Normal but worth a look.
    case notice
    /// Done.
    case info
    /// For developers.
    case debug
}

/// Sends log records to the journal, their metadata as fields: `well` becomes `AUTOQC_WELL`.
///
/// The metadata also stands behind the message, `key=value`, for those who read `journalctl` without fields.
/// A record that the journal does not take goes to stderr.
struct JournalLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    let label: String
    let fallback: any LogHandler
    let send: Send

    /// Takes a record, or `false`.
    typealias Send =
        @Sendable (_ message: String, _ priority: JournalPriority, _ fields: [JournalField]) -> Bool

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
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

extension JournalLogHandler {
    /// Logs to the journal under a logger's name.
    init(label: String) {
        self.init(label: label, fallback: StreamLogHandler.standardError(label: label)) {
            Journal().send(message: $0, priority: $1, fields: $2)
        }
    }
}

extension JournalPriority {
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

/// Chooses where the log of a service goes.
package enum ServiceLogging {
    /// Sets the log of the process up, once: the journal where stderr leads to it, stderr elsewhere.
    package static func bootstrap(level: Logger.Level = .info) {
        LoggingSystem.bootstrap { label in handler(label: label, level: level) }
    }

    /// The log handler that `bootstrap` gives to a logger.
    static func handler(label: String, level: Logger.Level = .info) -> any LogHandler {
        var handler: any LogHandler =
            standardErrorIsJournal
            ? JournalLogHandler(label: label) : StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
    }

    /// Whether stderr is the stream that the service manager connected to the journal.
    ///
    /// `JOURNAL_STREAM` names its device and inode, and programs inherit it whose stderr leads elsewhere.
    static var standardErrorIsJournal: Bool {
        guard let value = unsafe getenv("JOURNAL_STREAM") else { return false }
        return isJournal(STDERR_FILENO, stream: unsafe String(cString: value))
    }

    static func isJournal(_ descriptor: Int32, stream: String) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
