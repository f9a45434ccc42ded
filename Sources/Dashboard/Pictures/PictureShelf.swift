import Synchronization

/// Pictures that were made, the ones asked for last, up to a number of bytes.
final class PictureShelf: Sendable {
    fileprivate struct State {
        var pictures: [String: (bytes: [UInt8], used: Int)] = [:]
        var size = 0
        var clock = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// Keeps at most `capacity` bytes.
    init(capacity: Int = 24 << 20) {
        self.capacity = capacity
    }

    /// The picture of that name, made if it is not there.
    func picture(_ name: String, make: () throws -> [UInt8]?) rethrows -> [UInt8]? {
        let kept = state.withLock { state in
            state.clock += 1
            state.pictures[name]?.used = state.clock
            return state.pictures[name]?.bytes
        }
        if let kept { return kept }
        guard let made = try make() else { return nil }
        state.withLock { $0.keep(made, as: name, capacity: capacity) }
        return made
    }
}

extension PictureShelf.State {
    fileprivate mutating func keep(_ bytes: [UInt8], as name: String, capacity: Int) {
        guard bytes.count <= capacity / 4 else { return }
        size += bytes.count - (pictures[name]?.bytes.count ?? 0)
        pictures[name] = (bytes, clock)
        while size > capacity, let oldest = pictures.min(by: { $0.value.used < $1.value.used }) {
            size -= oldest.value.bytes.count
            pictures[oldest.key] = nil
        }
    }
}
