import Dispatch
import Foundation
import Synchronization

/// Things made ahead of their time on other threads, in no order, and taken in order.
///
/// At most `depth` wait or are being made.
final class LookAhead<Item: Sendable>: Sendable {
    private struct State {
        var next = 0
        var ready: [Int: Result<Item, SimulationError>] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)
    private let news = DispatchSemaphore(value: 0)
    private let count: Int
    private let depth: Int
    private let workers: Int
    private let make: @Sendable (Int) throws(SimulationError) -> Item

    /// Begins to make items 0 to `count - 1`.
    init(
        count: Int,
        depth: Int,
        workers: Int,
        make: @escaping @Sendable (Int) throws(SimulationError) -> Item
    ) {
        precondition(depth > 0 && workers > 0, "nothing is made by \(workers) workers, \(depth) ahead")
        (self.count, self.depth, self.workers, self.make) = (count, depth, workers, make)
        for _ in 0..<depth { room.signal() }
        for number in 0..<workers {
            let thread = Thread { self.work() }
            thread.name = "autoqc.ahead\(number)"
            thread.start()
        }
    }

    /// Waits until as much is made as may wait, or all there is.
    func fill(unless isInterrupted: () -> Bool) {
        while !isInterrupted(), state.withLock({ $0.ready.count }) < min(depth, count) {
            _ = news.wait(timeout: .now() + .milliseconds(100))
        }
    }

    /// Waits for an item, each to be taken once and in order; `nil` once `isInterrupted`.
    func take(_ number: Int, unless isInterrupted: () -> Bool) throws(SimulationError) -> Item? {
        while !isInterrupted() {
            if let result = state.withLock({ $0.ready.removeValue(forKey: number) }) {
                room.signal()
                return try result.get()
            }
            _ = news.wait(timeout: .now() + .milliseconds(100))
        }
        return nil
    }

    /// Makes no more.
    func stop() {
        state.withLock { $0.isStopped = true }
        for _ in 0..<workers { room.signal() }
    }

    private func work() {
        while true {
            room.wait()
            let number = state.withLock { state -> Int? in
                guard !state.isStopped, state.next < count else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let number else { return }
            let result = Result { () throws(SimulationError) in try make(number) }
            state.withLock { $0.ready[number] = result }
            news.signal()
        }
    }
}
