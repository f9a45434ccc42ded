import Foundation
package import Logging

/// Writes structured records to the systemd journal.
///
/// Nobody waits for a journal that does not read: see `Outbox`.
package struct Journal: Sendable {
    private let identifier: String
    private let outbox: Outbox

    private static let socket = "/run/systemd/journal/socket"
    private static let system = outbox(to: socket)

    /// Records are marked with the program's name (`SYSLOG_IDENTIFIER`).
    package init(identifier: String = "autoqc") {
        self.init(identifier: identifier, outbox: Self.system)
    }

    init(identifier: String, outbox: Outbox) {
        (self.identifier, self.outbox) = (identifier, outbox)
    }

    /// Room for some thousand records, for a journal at a socket.
    static func outbox(to socket: String, capacity: Int = 4 << 20) -> Outbox {
        Outbox(
            name: "autoqc.journal",
            capacity: capacity,
            attempt: { Datagram.send($0, to: socket) },
            deliver: { Datagram.deliver($0, to: socket) },
            report: { loss in
                encode([
                    JournalField(
                        "MESSAGE",
                        loss.words("records") + ", as the journal did not read; alarms are in the alarm logs"
                    ),
                    JournalField("PRIORITY", "\(JournalPriority.warning.rawValue)"),
                    JournalField("SYSLOG_IDENTIFIER", "autoqc"),
                ])
            }
        )
    }

    /// Whether a journal listens on this machine.
    package static var isPresent: Bool { unsafe access(socket, W_OK) == 0 }

    /// Waits until the journal has all records, for so long at most.
    package static func flush(within limit: Duration) { system.flush(within: limit) }

    /// Writes one record.
    ///
    /// - Parameters:
    ///   - message: The sentence that `journalctl` shows; may have several lines.
    ///   - priority: How urgent it is.
    ///   - fields: What it can be found by, kept in this order.
    ///   - messageID: The kind of event, which the catalog explains: 32 hexadecimal digits, drawn once (`systemd-id128 new`).
    /// - Returns: Whether the journal has it or will have it: `false`, and nothing else, where there is none.
    @discardableResult
    package func send(
        message: String,
        priority: JournalPriority,
        fields: [JournalField] = [],
        messageID: String? = nil
    ) -> Bool {
        var all = [
            JournalField("MESSAGE", message), JournalField("PRIORITY", "\(priority.rawValue)"),
            JournalField("SYSLOG_IDENTIFIER", identifier),
        ]
        if let messageID { all.append(JournalField("MESSAGE_ID", messageID)) }
        return outbox.send(Self.encode(all + fields))
    }

    /// The journal's native protocol: `NAME=value` and a line break; a value with line breaks has its length in front, 64 bits
    /// with the lowest byte first.
    private static func encode(_ fields: [JournalField]) -> [UInt8] {
        let lineBreak = UInt8(ascii: "\n")
        var bytes: [UInt8] = []
        for field in fields {
            bytes += field.name.utf8
            if field.value.contains(lineBreak) {
                bytes.append(lineBreak)
                bytes += (0..<8).map { UInt8(truncatingIfNeeded: UInt64(field.value.count) >> (8 * $0)) }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes += field.value
            bytes.append(lineBreak)
        }
        return bytes
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
        self.init(label: label, fallback: StreamLogHandler(label: label, stream: StandardError())) {
            Journal().send(message: $0, priority: $1, fields: $2)
        }
    }
}

extension JournalPriority {
    /// The level of a log that is as urgent.
    package var level: Logger.Level {
        switch self {
        case .emergency, .alert, .critical: .critical
        case .error: .error
        case .warning: .warning
        case .notice: .notice
        case .info: .info
        case .debug: .debug
        }
    }

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

    /// Writes a line to standard error behind what was logged, without waiting for a reader.
    package static func say(_ line: String) {
        var stream = StandardError()
        stream.write(line + "\n")
    }

    /// Waits until the log, the journal and the service manager have everything, for so long at most each.
    package static func flush(within limit: Duration = .seconds(2)) {
        StandardError.flush(within: limit)
        Journal.flush(within: limit)
        ServiceManager.flush(within: limit)
    }

    /// The log handler that `bootstrap` gives to a logger.
    static func handler(label: String, level: Logger.Level = .info) -> any LogHandler {
        var handler: any LogHandler =
            standardErrorIsJournal
            ? JournalLogHandler(label: label)
            : StreamLogHandler(label: label, stream: StandardError())
        handler.logLevel = level
        return handler
    }

    /// Whether stderr is the stream that the service manager connected to the journal.
    ///
    /// `JOURNAL_STREAM` names its device and inode, and programs inherit it whose stderr leads elsewhere.
    package static var standardErrorIsJournal: Bool {
        guard let value = unsafe getenv("JOURNAL_STREAM") else { return false }
        return isJournal(STDERR_FILENO, stream: unsafe String(cString: value))
    }

    static func isJournal(_ descriptor: Int32, stream: String) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

/// Standard error for a log that nobody may read: see `Outbox`.
struct StandardError: TextOutputStream, Sendable {
    private static let outbox = outbox(to: STDERR_FILENO)

    /// Room for some thousand lines.
    static func outbox(to descriptor: Int32, capacity: Int = 1 << 20) -> Outbox {
        Outbox(
            name: "autoqc.log",
            capacity: capacity,
            deliver: { deliver($0, to: descriptor) },
            report: { Array("autoqc: \($0.words("lines of the log")), as nobody read them\n".utf8) }
        )
    }

    /// Blocks while a pipe is full; what a reader that is gone would have read is dropped.
    private static func deliver(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&ready, 1, -1)
                continue
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    static func flush(within limit: Duration) { outbox.flush(within: limit) }

    mutating func write(_ text: String) { _ = Self.outbox.send(Array(text.utf8)) }
}
