import Foundation
import Synchronization

/// One thread of low priority that does blocking work in turn, so that a page never takes more than a part of one core.
///
/// Ledger and files block, which neither the server's event loops nor the cooperative pool may do. The thread goes with
/// the worker.
final class Worker: Sendable {
    /// More is asked for than the thread gets done.
    struct Busy: Error {}

    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var isClosed = false
    }

    /// What thread and worker share; the thread must not keep the worker.
    private final class Line: Sendable {
        let state = Mutex(State())
        let signal = DispatchSemaphore(value: 0)

        func work() {
            while true {
                signal.wait()
                let (next, isClosed) = state.withLock { state in
                    (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isClosed)
                }
                if let next { next() } else if isClosed { return }
            }
        }
    }

    /// Jobs that may wait; beyond that a request is refused rather than answered late.
    private static let capacity = 512
    /// The lowest share of a core that the scheduler gives while others want it.
    private static let niceness: Int32 = 19

    private let line = Line()

    /// Starts the thread.
    init(name: String) {
        let line = line
        let thread = Thread {
            // On Linux 0 is this thread, not the process.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
            line.work()
        }
        thread.name = name
        thread.start()
    }

    deinit {
        line.state.withLock { $0.isClosed = true }
        line.signal.signal()
    }

    /// Waits for its turn, and for what the body returns or throws; throws `Busy` where too much waits.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let isTaken = line.state.withLock { state in
                guard state.waiting.count < Self.capacity else { return false }
                state.waiting.append { continuation.resume(with: Result { try body() }) }
                return true
            }
            if isTaken { line.signal.signal() } else { continuation.resume(throwing: Busy()) }
        }
    }
}
