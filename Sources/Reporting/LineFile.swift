import Files
import Foundation

/// An append-only file of lines, each written by one system call, made whole again when it is opened.
///
/// A crash can leave a last line without its newline, or zeros where the file system had made room: everything
/// after the last newline is cut off before anything is appended.
struct LineFile: ~Copyable {
    /// How much of the file's end `recentLines` reads.
    ///
    /// More than the lines of one batch: at most 64 frames of two lines of less than 1,600 bytes.
    static let recentBytes = 256 << 10

    private let handle: Durable.Handle

    /// Opens the file for appending; makes it and its folders where they are missing.
    init(_ path: String) throws(OutputError) {
        let folder = Durable.parent(path)
        try Durable.makeFolders(folder)
        let isNew = unsafe access(path, F_OK) != 0
        let handle = try Durable.Handle(path, flags: O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW)
        if isNew { try Durable.syncFolder(folder) }
        try Self.cutTornLine(of: handle)
        self.handle = handle
    }

    /// Appends lines and brings them to the disk; a failure leaves no part of a line.
    func append(_ lines: [String]) throws(OutputError) {
        guard !lines.isEmpty else { return }
        for line in lines {
            let size = try handle.size()
            do {
                try handle.write(Array(line.utf8) + [UInt8(ascii: "\n")])
            } catch {
                try handle.truncate(to: size)
                throw error
            }
        }
        try handle.sync()
    }

    /// The last lines of the file, oldest first: all within its last `recentBytes`.
    func recentLines() throws(OutputError) -> [String] {
        let size = try handle.size()
        let start = max(0, size - Self.recentBytes)
        let bytes = try handle.read(at: start, count: size - start)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Without the empty rest after the last newline and, if cut into, the first line.
        return lines.dropLast().dropFirst(start > 0 ? 1 : 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func cutTornLine(of handle: borrowing Durable.Handle) throws(OutputError) {
        let size = try handle.size()
        var end = size
        while end > 0 {
            let start = max(0, end - (64 << 10))
            let bytes = try handle.read(at: start, count: end - start)
            if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) {
                end = start + newline + 1
                break
            }
            end = start
        }
        guard end < size else { return }
        try handle.truncate(to: end)
        try handle.sync()
    }
}
