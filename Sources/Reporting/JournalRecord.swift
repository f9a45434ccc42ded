public import Systemd

/// One structured record for the system's journal.
public struct JournalRecord: Sendable, Equatable {
    /// The line that `journalctl` shows.
    public let message: String
    /// How urgent it is.
    public let priority: JournalPriority
    /// The kind of event; `systemd/autoqc.catalog` explains each.
    public let messageID: MessageID
    /// Fields by their upper-case names.
    public let fields: [String: String]

    /// Gathers a record.
    public init(message: String, priority: JournalPriority, messageID: MessageID, fields: [String: String]) {
        self.message = message
        self.priority = priority
        self.messageID = messageID
        self.fields = fields
    }
}
