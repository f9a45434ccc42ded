/// One structured record for the system's journal.
public struct JournalRecord: Sendable, Equatable {
    /// How urgent a record is, with syslog's numbers.
    public enum Priority: Int, Sendable {
        /// Data lost or the operator is needed.
        case error = 3
        /// Odd, and nothing lost.
        case warning = 4
        /// Worth a line.
        case notice = 5
    }

    /// The line that `journalctl` shows.
    public let message: String
    /// How urgent it is.
    public let priority: Priority
    /// 32 hexadecimal digits that name the kind of event; `systemd/autoqc.catalog` explains each.
    public let messageID: String
    /// Fields by their upper-case names.
    public let fields: [String: String]

    /// Gathers a record.
    public init(message: String, priority: Priority, messageID: String, fields: [String: String]) {
        self.message = message
        self.priority = priority
        self.messageID = messageID
        self.fields = fields
    }
}
