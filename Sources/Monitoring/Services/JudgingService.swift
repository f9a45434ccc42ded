import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// Takes batches from the queue and judges them, on threads of its own, one for each heartbeat.
///
/// Judging blocks for as long as the model takes, and writing for as long as the disk takes. The cooperative pool has one
/// thread for each core and must not lose one to that. Each thread reads, judges and writes its batch alone.
struct JudgingService: Service {
    /// How long a thread waits for a batch before it shows that it is alive.
    private static let idle = Duration.seconds(1)
    private static let stackSize = 16 << 20

    let queue: FrameQueue
    let pipeline: FramePipeline
    let stalls: StallReporter
    let hearts: [Heartbeat]
    let logger: Logger
    /// How long waiting frames may still be judged after the end has begun.
    let stopTimeout: @Sendable () -> Duration
    /// Called once everything is judged; begins the end of the daemon unless that has begun.
    let finished: @Sendable () async -> Void

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await stopInTime() }
            try await judge()
            group.cancelAll()
        }
        await finished()
        // The queue may be closed and empty before this service is told to stop. A service that returns before it is told to
        // counts as failed.
        try? await gracefulShutdown()
    }

    /// Returns when every thread is done; where one fails, the others end with the batch they have.
    private func judge() async throws {
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, heart) in hearts.enumerated() {
                    group.addTask {
                        defer { heart.rest() }
                        do {
                            try await onThread(named: "autoqc.judging\(index + 1)") {
                                try work(heart, index + 1)
                            }
                        } catch {
                            // Here, as the group tells of a failure only when all threads are done.
                            _ = queue.abandon()
                            throw error
                        }
                    }
                }
                try await group.waitForAll()
            }
        } onCancel: {
            _ = queue.abandon()
        }
    }

    private func stopInTime() async {
        do {
            try await gracefulShutdown()
            queue.close()
            try await Task.sleep(for: stopTimeout())
        } catch {
            // Cancelled, as everything is judged.
            return
        }
        let left = queue.abandon()
        guard !left.isEmpty else { return }
        logger.warning(
            "`stop_timeout` is over; waiting frames are judged after the next start",
            metadata: ["count": "\(left.count)"]
        )
        pipeline.leave(left, because: "the daemon was stopped before it was judged")
    }

    private func onThread(named name: String, _ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.name = name
            thread.stackSize = Self.stackSize
            thread.start()
        }
    }

    private func work(_ heart: Heartbeat, _ thread: Int) throws {
        let pipeline = pipeline.with(heartbeat: heart, thread: thread)
        while true {
            heart.tick()
            switch queue.next(within: Self.idle) {
            case .batch(let batch):
                do {
                    queue.finish(batch, retry: try pipeline.process(batch.frames, tier: batch.tier))
                } catch is FramePipeline.Abandoned {
                    return
                }
            case .idle: break
            case .finished: return
            }
            stalls.report { pipeline.report($0, silence: $1) }
        }
    }
}
