import Files
import Foundation
import Plate
import Synchronization

/// A file of JSON lines that several processes append to and that its group may write, and what its lines come to.
///
/// Lines that are none are passed over. A line is durable when `add` returns.
final class SharedLog<Line: Codable & Sendable, Content: Sendable>: Sendable {
    /// Tells one state of the file from another.
    private struct Stamp: Equatable {
        let inode: UInt64
        let size: Int
        let seconds: Int
        let nanoseconds: Int
    }

    private let path: String
    private let folder: String
    private let content: @Sendable ([Line]) -> Content
    private let known = Mutex<(stamp: Stamp, content: Content)?>(nil)

    /// Names the file and says what its lines come to; nothing is made or read yet.
    init(_ path: String, content: @escaping @Sendable ([Line]) -> Content) {
        (self.path, folder, self.content) = (path, Durable.parent(path), content)
    }

    /// Whether this process may add lines.
    var isWritable: Bool {
        guard unsafe access(path, F_OK) == 0 else { return unsafe access(folder, W_OK) == 0 }
        return unsafe access(path, W_OK) == 0
    }

    /// Adds the line that follows from those that are there, or none.
    ///
    /// No other process adds one in between.
    func add(_ line: (Content) -> Line?) throws(OutputError) {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW
        let lock = try Durable.Handle(path, flags: flags, mode: SharedLogs.mode)
        guard flock(lock.descriptor, LOCK_EX) == 0 else { throw OutputError("lock", path, errno: errno) }
        guard let line = line(try all()) else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        guard let bytes = try? encoder.encode(line) else {
            throw OutputError("encode a line for", path, detail: "it is no text", code: .notUsable)
        }
        // Opening it also cuts off what a crash left half-written.
        try LineFile(path).append([String(decoding: bytes, as: UTF8.self)])
        withExtendedLifetime(lock) {}
    }

    /// What all lines come to.
    func all() throws(OutputError) -> Content {
        guard let stamp = stamp else { return content([]) }
        if let known = known.withLock({ $0 }), known.stamp == stamp { return known.content }
        guard stamp.size <= SharedLogs.largest else {
            throw OutputError("read", path, detail: "it has \(stamp.size) bytes", code: .notUsable)
        }
        let file = try Durable.Handle(path, flags: O_RDONLY | O_NOFOLLOW)
        let decoder = JSONDecoder()
        let lines = try file.read(at: 0, count: stamp.size).split(separator: UInt8(ascii: "\n"))
            .compactMap { try? decoder.decode(Line.self, from: Data($0)) }
        let content = content(lines)
        known.withLock { $0 = (stamp, content) }
        return content
    }

    private var stamp: Stamp? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Stamp(
            inode: UInt64(status.st_ino),
            size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec
        )
    }
}

/// What all shared logs have in common.
enum SharedLogs {
    /// A larger file is refused: some hundred thousand lines.
    static let largest = 64 << 20
    static let mode: UInt32 = 0o660

    /// Makes the file where it is missing, and lets its group write it.
    static func prepare(_ path: String) throws(OutputError) {
        let file = try Durable.Handle(path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: mode)
        // The process's mask of permissions may have left the group out; a file of another user stays as it is.
        _ = fchmod(file.descriptor, mode)
    }
}
