import Foundation

/// Says that one process, and no other, writes an output folder; held until it goes, or the process does.
public final class OutputLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of a prepared output folder, or throws where another process holds it.
    public init(tree: OutputTree) throws(OutputError) {
        descriptor = unsafe open(tree.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw OutputError("open", tree.lock, errno: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK else { throw OutputError("lock", tree.lock, errno: number) }
            throw OutputError("lock", tree.lock, detail: "another autoqc writes this output folder")
        }
    }

    deinit { close(descriptor) }
}
