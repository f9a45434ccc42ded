package import Systemd

/// One structured record for the system's journal.
package struct JournalRecord: Sendable, Equatable {
    /// The line that `journalctl` shows.
    package let message: String
    /// How urgent it is.
    package let priority: JournalPriority
    /// The kind of event; `systemd/autoqc.catalog` explains each.
    package let messageID: MessageID
    /// Fields by their upper-case names.
    package let fields: [String: String]

    /// Gathers a record.
    package init(message: String, priority: JournalPriority, messageID: MessageID, fields: [String: String]) {
        self.message = message
        self.priority = priority
        self.messageID = messageID
        self.fields = fields
    }
}
