import Foundation

/// Says that one process, and no other, writes an output folder; held until it goes, or the process does.
package final class OutputLock: Sendable {
    private let descriptor: Int32
    private static let attempts = 10
    /// In us.
    private static let pause: UInt32 = 20_000

    /// Takes the lock of a prepared output folder, or throws where another process holds it.
    package init(tree: OutputTree) throws(OutputError) {
        descriptor = unsafe open(tree.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw OutputError("open", tree.lock, errno: errno) }
        var attempts = 0
        // Whoever asks `isHeld` has it for a moment.
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            attempts += 1
            if number == EWOULDBLOCK, attempts < Self.attempts {
                usleep(Self.pause)
                continue
            }
            close(descriptor)
            guard number == EWOULDBLOCK else { throw OutputError("lock", tree.lock, errno: number) }
            throw OutputError("lock", tree.lock, detail: "another autoqc writes this output folder")
        }
    }

    /// Whether a process holds the lock of an output folder now.
    package static func isHeld(_ tree: OutputTree) -> Bool {
        let descriptor = unsafe open(tree.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    deinit { close(descriptor) }
}
