import Foundation
import Plate

/// Output that could not be written: the disk is full, the folder may not be written or is gone.
///
/// | code | what to do |
/// |---|---|
/// | `noSpace` | free some space; frames wait and are caught up by themselves |
/// | `notAllowed` | let the daemon's user write the folder; frames wait |
/// | `notMounted` | mount the file system that holds the folder; frames wait |
/// | `taken` | stop the other daemon, or name another output folder |
/// | `missing` | make the folder, or correct the path |
/// | `closed` | keep the reader of the pipe running |
/// | `notUsable` | another kind of file is in the way, or the device failed; look at the path |
package struct OutputError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What to do about it.
    package enum Code: Sendable {
        /// No space, no inodes or no quota left.
        case noSpace
        /// Permissions, or a file system mounted read-only.
        case notAllowed
        /// The file system that is to hold it is not there.
        case notMounted
        /// Another process writes the folder.
        case taken
        case notUsable
        /// There is no such folder.
        case missing
        /// A pipe or a standard stream that nobody reads any more.
        case closed
    }

    /// What to do about it.
    package let code: Code
    /// What was being done, for example `write`.
    package let operation: String
    /// The path it was done to.
    package let path: String
    /// Why it failed.
    package let detail: String

    /// What to do, in words.
    package var remedy: String {
        switch code {
        case .noSpace: "free some space there"
        case .notAllowed: "let this user write there"
        case .notMounted: "mount it"
        case .taken: "stop it, or name another output folder"
        case .notUsable: "look at what is there"
        case .missing: "make the folder, or correct the path"
        case .closed: "its reader has ended, or it was closed at the start"
        }
    }

    /// A sentence with the path, the reason and what to do.
    package var description: String {
        "Cannot \(operation) \(Self.quoted(path)) (\(detail)): \(remedy)."
    }

    private static func quoted(_ path: String) -> String { "\"\(printableName(path))\"" }

    /// Describes a failed system call by the `errno` it left.
    package init(_ operation: String, _ path: String, errno number: Int32) {
        code =
            switch number {
            case ENOSPC, EDQUOT, EFBIG: .noSpace
            case EACCES, EPERM, EROFS: .notAllowed
            case EPIPE, EBADF: .closed
            case ENOENT: .missing
            default: .notUsable
            }
        self.operation = operation
        self.path = path
        detail = unsafe String(cString: strerror(number))
    }

    /// Describes a failure that has no `errno`.
    package init(_ operation: String, _ path: String, detail: String, code: Code = .notUsable) {
        self.code = code
        self.operation = operation
        self.path = path
        self.detail = detail
    }
}
