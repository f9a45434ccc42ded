import Acquisition
import Dispatch
import Plate
import Synchronization

/// The queue between the watched folders and the judging threads, bounded in memory and losing nothing.
///
/// It holds names, never pixels. When `capacity` names wait, the watcher keeps what lay there at the start to itself
/// (`hasRoomForOld`); when the reserve for what comes now is used up, too, `offer` waits, the watcher's stream is left
/// unread, and the frames wait on disk. What is refused or dropped at the end is on disk too: the next start lists the folders
/// and takes what the ledger does not know.
///
/// One task offers; any number of threads take, each a batch of another well. The threads may block, so they do not use
/// the cooperative pool.
final class FrameQueue: Sendable {
    /// What a judging thread gets.
    enum Step: Equatable {
        /// Judge these frames of one well, and then call `finish`.
        case batch(WellQueue.Batch)
        /// Nothing became due in the time given.
        case idle
        /// Nothing waits that can be judged, nothing is out that could come back, and nothing will come.
        case finished
    }

    struct Standing: Sendable {
        let count: Int
        let deferred: Int
        /// When the file was whole that waits longest.
        let since: Timestamp?
        let load: Load
        /// Why wells wait whose frame cannot be written: a sentence for each.
        let troubles: [String]
    }

    private struct State {
        var queue: WellQueue
        var isClosed = false
        var isAbandoned = false
        var waitingOffers: [CheckedContinuation<Void, Never>] = []
        var sleepers: [DispatchSemaphore] = []

        /// What waits because of a trouble would wait for ever; it has been tried.
        var isFinished: Bool { isClosed && queue.count == queue.held && queue.busy == 0 }

        /// Offers that may look again, if there is room or no hope.
        mutating func releasedOffers() -> Woken {
            guard !queue.isFull || isClosed else { return Woken() }
            defer { waitingOffers = [] }
            return Woken(offers: waitingOffers)
        }

        /// The same, and every thread.
        mutating func everybody() -> Woken {
            defer { sleepers = [] }
            var woken = releasedOffers()
            woken.sleepers = sleepers
            return woken
        }
    }

    /// Who may look again; woken outside the lock.
    private struct Woken {
        var offers: [CheckedContinuation<Void, Never>] = []
        var sleepers: [DispatchSemaphore] = []

        func go() {
            offers.forEach { $0.resume() }
            sleepers.forEach { $0.signal() }
        }
    }

    private enum OfferResult {
        case taken(Woken), refused, full
    }

    private let state: Mutex<State>
    private let clock = ContinuousClock()
    /// Told of every step by which the load changes what is done.
    private let loadChanged: @Sendable (Load.Change) -> Void

    init(_ queue: WellQueue, loadChanged: @escaping @Sendable (Load.Change) -> Void = { _ in }) {
        state = Mutex(State(queue: queue))
        self.loadChanged = loadChanged
    }

    var standing: Standing {
        state.withLock {
            Standing(
                count: $0.queue.count,
                deferred: $0.queue.deferred,
                since: $0.queue.since,
                load: $0.queue.load,
                troubles: $0.queue.troubles.values.map { frame in
                    "\(frame.file.source.path) waits: \(frame.trouble?.reason ?? "")"
                }.sorted()
            )
        }
    }

    /// Whether nothing waits that can be judged, and no frame is deferred: then there is time for something else.
    var isQuiet: Bool {
        state.withLock { $0.queue.count == $0.queue.held && $0.queue.load.level < .deferring }
    }

    /// Whether more of what lay there at the start may come.
    var hasRoomForOld: Bool { state.withLock { $0.queue.hasRoomForOld } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    /// Whether what is not judged yet is left for the next start.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Adds a file, as soon as there is room; `false` where the queue was closed before.
    func offer(_ frame: QueuedFrame) async -> Bool {
        while true {
            let result = state.withLock { state -> OfferResult in
                if state.isClosed { return .refused }
                if state.queue.isFull { return .full }
                state.queue.add(frame)
                return .taken(state.everybody())
            }
            switch result {
            case .taken(let woken):
                woken.go()
                return true
            case .refused: return false
            case .full: await room()
            }
        }
    }

    private func room() async {
        await withCheckedContinuation { continuation in
            let woken = state.withLock { state in
                state.waitingOffers.append(continuation)
                return state.releasedOffers()
            }
            woken.go()
        }
    }

    /// Blocks until a batch is due, everything is finished, or the time is over.
    func next(within time: Duration) -> Step {
        let limit = clock.now + time
        let sleeper = DispatchSemaphore(value: 0)
        while true {
            let now = clock.now
            let (step, isFinished, change, woken) = state.withLock { state in
                let change = state.queue.weighLoad(now: now)
                let step = state.queue.next(now: now)
                state.sleepers.removeAll { $0 === sleeper }
                if case .wait = step, now < limit { state.sleepers.append(sleeper) }
                return (step, state.isFinished, change, state.releasedOffers())
            }
            woken.go()
            if let change { loadChanged(change) }
            switch step {
            case .batch(let batch): return .batch(batch)
            case .wait where isFinished: return .finished
            case .wait where now >= limit: return .idle
            case .wait(let due): sleep(sleeper, until: min(due ?? limit, limit))
            }
        }
    }

    /// Ends a batch that `next` gave; takes back frames of it that are to be tried again after a delay.
    ///
    /// Returns those that it does not take back, as the queue is abandoned.
    @discardableResult
    func finish(_ batch: WellQueue.Batch, retry: FramePipeline.Retry? = nil) -> [QueuedFrame] {
        let now = clock.now
        let retries = retry?.frames ?? []
        return change { state in
            state.queue.finish(
                batch,
                retries: state.isAbandoned ? [] : retries,
                notBefore: retry.map { now + $0.delay },
                now: now
            )
            return state.isAbandoned ? retries : []
        }
    }

    /// Blocks for some time; `false` where the queue is abandoned, before or during it.
    func pause(for time: Duration) -> Bool {
        let limit = clock.now + time
        let sleeper = DispatchSemaphore(value: 0)
        while true {
            let now = clock.now
            let isAbandoned = state.withLock { state in
                state.sleepers.removeAll { $0 === sleeper }
                if now < limit { state.sleepers.append(sleeper) }
                return state.isAbandoned
            }
            if isAbandoned { return false }
            if now >= limit { return true }
            sleep(sleeper, until: limit)
        }
    }

    /// Takes no more files; waiting frames are still handed out.
    func close() {
        change { $0.isClosed = true }
    }

    /// Takes no more files, and returns the waiting frames.
    func abandon() -> [QueuedFrame] {
        change { state in
            state.isClosed = true
            state.isAbandoned = true
            return state.queue.removeAll()
        }
    }

    /// Hands out no frame of a watched folder that does not answer, until `resume`.
    func suspend(_ folder: String) { change { $0.queue.suspend(folder) } }

    func resume(_ folder: String) { change { $0.queue.resume(folder) } }

    func set(batchFrames: Int, capacity: Int) {
        change { ($0.queue.batchFrames, $0.queue.capacity) = (batchFrames, capacity) }
    }

    /// Changes the state and wakes everybody.
    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        let (value, woken) = state.withLock { state in
            let value = body(&state)
            return (value, state.everybody())
        }
        woken.go()
        return value
    }

    /// Sleeps until the moment or some news; it may wake for nothing.
    private func sleep(_ sleeper: DispatchSemaphore, until moment: ContinuousClock.Instant) {
        let nanoseconds = (moment - clock.now).wholeNanoseconds
        _ = sleeper.wait(timeout: .now() + .nanoseconds(Int(max(0, nanoseconds))))
    }
}
