import Synchronization

/// Keeps freed buffers for the next tensor of the same size, so that a training step or a frame allocates nothing once
/// the first one has run.
struct BufferPool: ~Copyable {
    static let shared = BufferPool()
    /// oneDNN's widest loads are 64 bytes.
    static let alignment = 64
    /// Freed memory beyond this goes back to the system.
    private static let limit = 2 << 30

    @safe private struct State {
        var free: [Int: [UnsafeMutableRawPointer]] = unsafe [:]
        var heldBytes = 0
    }

    // The pointers in the state are to buffers that nobody else uses any more.
    private let state = Mutex(State())

    func take(bytes: Int) -> UnsafeMutableRawPointer {
        let size = Self.rounded(bytes)
        let reused = state.withLock { state -> SendableBuffer? in
            guard let pointer = unsafe state.free[size]?.popLast() else { return nil }
            state.heldBytes -= size
            return unsafe SendableBuffer(pointer: pointer)
        }
        if let reused { return unsafe reused.pointer }
        return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.alignment)
    }

    func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
        let size = Self.rounded(bytes)
        let buffer = unsafe SendableBuffer(pointer: pointer)
        let kept = state.withLock { state in
            guard state.heldBytes + size <= Self.limit else { return false }
            state.heldBytes += size
            unsafe state.free[size, default: []].append(buffer.pointer)
            return true
        }
        if !kept { unsafe pointer.deallocate() }
    }

    private static func rounded(_ bytes: Int) -> Int {
        max((bytes + alignment - 1) / alignment, 1) * alignment
    }
}

/// A buffer on its way in or out of the pool; safe to send because exactly one owner holds it.
@safe private struct SendableBuffer: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
}
