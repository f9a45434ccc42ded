import Acquisition
import Dispatch
import Synchronization

/// The queue between the watched folders and the judging thread, bounded in memory and losing nothing.
///
/// It holds names, never pixels. When `capacity` names wait, `offer` waits, the watcher's stream is left unread, and
/// the frames wait on disk. What is refused or dropped at the end is on disk too: the next start lists the folders
/// and takes what the ledger does not know.
///
/// One task offers; one thread takes. The thread may block, so it does not use the cooperative pool.
final class FrameQueue: Sendable {
    /// What the judging thread gets.
    enum Step: Equatable {
        /// Judge these frames of one well, in this order.
        case batch([QueuedFrame])
        /// Nothing became due in the time given.
        case idle
        /// Nothing waits and nothing will come.
        case finished
    }

    private struct State {
        var queue: WellQueue
        var isClosed = false
        var isAbandoned = false
        var waitingOffers: [CheckedContinuation<Void, Never>] = []

        /// Offers that may look again, if there is room or no hope.
        mutating func releasedOffers() -> [CheckedContinuation<Void, Never>] {
            guard !queue.isFull || isClosed else { return [] }
            defer { waitingOffers = [] }
            return waitingOffers
        }
    }

    private enum OfferResult {
        case taken, refused, full
    }

    private let state: Mutex<State>
    private let clock = ContinuousClock()
    /// Wakes the judging thread when there may be something for it.
    private let news = DispatchSemaphore(value: 0)

    init(_ queue: WellQueue) {
        state = Mutex(State(queue: queue))
    }

    /// Names that wait.
    var count: Int { state.withLock { $0.queue.count } }

    /// Whether offers have to wait.
    var isFull: Bool { state.withLock { $0.queue.isFull } }

    /// Whether no more files are taken.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Adds a file, as soon as there is room; `false` where the queue was closed before.
    func offer(_ frame: QueuedFrame) async -> Bool {
        while true {
            let result = state.withLock { state -> OfferResult in
                if state.isClosed { return .refused }
                if state.queue.isFull { return .full }
                state.queue.add(frame, now: clock.now)
                return .taken
            }
            switch result {
            case .taken:
                news.signal()
                return true
            case .refused: return false
            case .full: await room()
            }
        }
    }

    private func room() async {
        await withCheckedContinuation { continuation in
            let released = state.withLock { state in
                state.waitingOffers.append(continuation)
                return state.releasedOffers()
            }
            released.forEach { $0.resume() }
        }
    }

    /// Takes back frames to be tried again after a delay.
    func putBack(_ frames: [QueuedFrame], after delay: Duration) {
        state.withLock { state in
            guard !state.isAbandoned else { return }
            state.queue.putBack(frames, notBefore: clock.now + delay, now: clock.now)
        }
    }

    /// Blocks until a batch is due, everything is finished, or the time is over.
    func next(within time: Duration) -> Step {
        let limit = clock.now + time
        while true {
            let now = clock.now
            let (step, isFinished, released) = state.withLock { state in
                let step = state.queue.next(now: now)
                return (step, state.isClosed && state.queue.count == 0, state.releasedOffers())
            }
            released.forEach { $0.resume() }
            switch step {
            case .batch(let frames): return .batch(frames)
            case .wait where isFinished: return .finished
            case .wait where now >= limit: return .idle
            case .wait(let due): block(until: min(due ?? limit, limit))
            }
        }
    }

    /// Blocks for some time; `false` where the queue is abandoned, before or during it.
    func pause(for time: Duration) -> Bool {
        let limit = clock.now + time
        while clock.now < limit {
            if state.withLock({ $0.isAbandoned }) { return false }
            block(until: limit)
        }
        return !state.withLock { $0.isAbandoned }
    }

    /// Takes no more files; what waits is handed out without waiting for more.
    func close() {
        let released = state.withLock { state in
            state.isClosed = true
            state.queue.isDraining = true
            return state.releasedOffers()
        }
        released.forEach { $0.resume() }
        news.signal()
    }

    /// Takes no more files and drops what waits; says how much that was.
    func abandon() -> Int {
        close()
        let dropped = state.withLock { state in
            state.isAbandoned = true
            return state.queue.removeAll()
        }
        news.signal()
        return dropped
    }

    /// Uses other figures from now on.
    func set(batchFrames: Int, batchWait: Duration, capacity: Int) {
        let released = state.withLock { state in
            state.queue.batchFrames = batchFrames
            state.queue.batchWait = batchWait
            state.queue.capacity = capacity
            return state.releasedOffers()
        }
        released.forEach { $0.resume() }
        news.signal()
    }

    /// Sleeps until the moment or some news; it may wake for nothing.
    private func block(until moment: ContinuousClock.Instant) {
        let time = moment - clock.now
        let nanoseconds =
            time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000
        _ = news.wait(timeout: .now() + .nanoseconds(Int(max(0, nanoseconds))))
    }
}
