import Foundation
import Synchronization

/// The threads that judge, a fixed number of them at work.
///
/// A thread that waits for a watched folder that does not answer is relieved: the queue hands out no more frames of that folder,
/// and another thread takes its place. When the folder answers after all, the relieved thread ends its batch and goes.
final class JudgingCrew: Sendable {
    /// How long a folder may take to answer.
    static let patience = Duration.seconds(5)
    private static let stackSize = 16 << 20

    private struct State {
        var atWork: [Heartbeat] = []
        var relieved: [(heart: Heartbeat, folder: String)] = []
        var started = 0
        var failure: (any Error)?
        var waiting: CheckedContinuation<Void, Never>?

        /// The heart and the number of another thread, which counts as at work from now on.
        mutating func hire() -> Recruit {
            started += 1
            let heart = Heartbeat(name: "judging \(started)")
            atWork.append(heart)
            return (heart, started)
        }
    }

    private typealias Recruit = (heart: Heartbeat, number: Int)

    private let state = Mutex(State())

    /// The threads whose signs of life are waited for.
    var hearts: [Heartbeat] { state.withLock(\.atWork) }

    /// Starts so many threads on some work; returns when all that are not relieved have ended, and throws what one threw.
    ///
    /// `failed` is called at once where one throws. The work is told the number of its thread, which no other has.
    func run(
        _ threads: Int,
        queue: FrameQueue,
        failed: @escaping @Sendable () -> Void,
        work: @escaping @Sendable (Heartbeat, _ thread: Int) throws -> Void
    ) async throws {
        let start = { @Sendable (recruit: Recruit) in
            let thread = Thread {
                let result = Result { try work(recruit.heart, recruit.number) }
                self.ended(recruit.heart, result, queue, failed)
            }
            thread.name = "autoqc.judging\(recruit.number)"
            thread.stackSize = Self.stackSize
            thread.start()
        }
        for recruit in state.withLock({ state in (0..<threads).map { _ in state.hire() } }) { start(recruit) }
        let watch = Task {
            while (try? await Task.sleep(for: .seconds(1))) != nil { self.relieve(queue, start) }
        }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.atWork.isEmpty { state.waiting = continuation }
                return state.atWork.isEmpty
            }
            if isOver { continuation.resume() }
        }
        watch.cancel()
        if let failure = state.withLock(\.failure) { throw failure }
    }

    /// Whether another thread does the work of this one.
    func isRelieved(_ heart: Heartbeat) -> Bool {
        state.withLock { $0.relieved.contains { $0.heart === heart } }
    }

    /// Relieves the threads whose folder does not answer.
    ///
    /// In one step: a thread that ends just now must find its folder suspended, and somebody at work.
    private func relieve(_ queue: FrameQueue, _ start: (Recruit) -> Void) {
        let recruits = state.withLock { state in
            let stuck = state.atWork.compactMap { heart in
                heart.unanswered(for: Self.patience).map { (heart: heart, folder: $0) }
            }
            for thread in stuck { queue.suspend(thread.folder) }
            state.relieved += stuck
            state.atWork.removeAll { heart in stuck.contains { $0.heart === heart } }
            return stuck.map { _ in state.hire() }
        }
        recruits.forEach(start)
    }

    private func ended(
        _ heart: Heartbeat,
        _ result: Result<Void, any Error>,
        _ queue: FrameQueue,
        _ failed: () -> Void
    ) {
        if case .failure = result { failed() }
        let (folder, waiting) = state.withLock { state in
            if case .failure(let error) = result { state.failure = state.failure ?? error }
            let folder = state.relieved.first { $0.heart === heart }?.folder
            state.relieved.removeAll { $0.heart === heart }
            state.atWork.removeAll { $0 === heart }
            guard state.atWork.isEmpty else { return (folder, CheckedContinuation<Void, Never>?.none) }
            defer { state.waiting = nil }
            return (folder, state.waiting)
        }
        if let folder { queue.resume(folder) }
        waiting?.resume()
    }
}
