import GRDB

/// A ledger that cannot be opened, read or written.
package struct LedgerError: Error, Sendable, CustomStringConvertible {
    /// What to do about it.
    package enum Code: Sendable {
        /// Wait and try again: the disk is full, another process holds the lock, the device failed.
        case busyOrFull
        /// Give the daemon's user the right to write the folder.
        case notAllowed
        /// Move the file away and let a new one be made, or restore a backup.
        case damaged
        /// Use the version of autoqc that wrote it, or another output folder.
        case otherSchema
        /// Start the daemon on the output folder once: it makes the tables.
        case notMade
        /// Start again: the file was removed or replaced while it was open, and what is written to it is lost.
        case gone
        /// Anything else SQLite reports.
        case other
    }

    /// What to do about it.
    package let code: Code
    /// Path of the database.
    package let path: String
    /// SQLite's own words.
    package let detail: String

    /// Whether the same call can succeed later without anybody mending the file.
    package var isRetriable: Bool { code == .busyOrFull || code == .notAllowed || code == .other }

    /// A sentence with the path, the reason and what to do.
    package var description: String {
        let remedy =
            switch code {
            case .busyOrFull: "free some space on its file system, or stop the other process that holds it"
            case .notAllowed: "let this user write the file and its folder"
            case .damaged: "move it away (frames are then judged again) or restore a backup"
            case .otherSchema:
                "another version of autoqc wrote it: use that version, or name another output folder (frames are then "
                    + "judged again)"
            case .notMade: "start `autoqc watch` with this output folder once: it makes the tables"
            case .gone: "start again; frames whose outcome went with it are judged again"
            case .other: "see SQLite's message"
            }
        return "The ledger \(path) cannot be used (\(detail)): \(remedy)."
    }

    init(code: Code, path: String, detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// Translates what GRDB throws.
    init(_ error: any Error, path: String) {
        guard let error = error as? DatabaseError else {
            self.init(code: .other, path: path, detail: "\(error)")
            return
        }
        let code: Code =
            switch error.resultCode {
            case .SQLITE_FULL, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_IOERR, .SQLITE_NOMEM: .busyOrFull
            case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: .notAllowed
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged
            default: .other
            }
        self.init(code: code, path: path, detail: error.message ?? "\(error.resultCode)")
    }
}
