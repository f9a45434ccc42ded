import CSystemd
import Glibc

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
    ///   - messageID: The kind of event, which the catalog explains.
    /// - Returns: Whether the journal took it: `false`, and nothing else, where there is none.
    @discardableResult
    package func send(
        message: String,
        priority: JournalPriority,
        fields: [JournalField] = [],
        messageID: MessageID? = nil
    ) -> Bool {
        // The library calls it a success when nobody listens.
        guard Self.isPresent else { return false }
        var all = [
            JournalField("MESSAGE", message), JournalField("PRIORITY", "\(priority.rawValue)"),
            JournalField("SYSLOG_IDENTIFIER", identifier),
        ]
        if let messageID { all.append(JournalField("MESSAGE_ID", messageID.description)) }
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
