import Foundation

/// The write-ahead log beside a ledger, as it was before the ledger was opened.
///
/// A clean end leaves none. After a crash it holds the last outcomes; SQLite opens a ledger without it, or beside one that is not
/// its own, as if nothing were missing.
package struct LedgerLog: Sendable {
    /// What is lost if the ledger was in use when it was written last; `nil` where nothing is known to be lost.
    package let loss: String?

    /// The first bytes of a log, for checksums of either byte order.
    private static let marks: [[UInt8]] = [[0x37, 0x7F, 0x06, 0x82], [0x37, 0x7F, 0x06, 0x83]]

    /// Looks at what lies beside the ledger at a path.
    package init(of ledger: String) {
        let log = ledger + "-wal"
        let manager = FileManager.default
        guard manager.fileExists(atPath: ledger) else {
            loss = nil
            return
        }
        let size = (try? manager.attributesOfItem(atPath: log))?[.size] as? NSNumber
        // A command that only read leaves an empty one.
        if size?.intValue ?? 0 == 0 {
            loss = Self.sentence(ledger, "its log \(log) is gone")
        } else if !Self.isLog(log) {
            loss = Self.sentence(ledger, "\(log) is not its log, or is damaged")
        } else {
            loss = nil
        }
    }

    private static func isLog(_ path: String) -> Bool {
        guard let handle = FileHandle(forReadingAtPath: path), let start = try? handle.read(upToCount: 4)
        else { return false }
        return marks.contains(Array(start))
    }

    private static func sentence(_ ledger: String, _ what: String) -> String {
        "The ledger \(ledger) was in use when it was written last, and \(what): the last outcomes may be missing. "
            + "Frames without an outcome are judged again."
    }
}
