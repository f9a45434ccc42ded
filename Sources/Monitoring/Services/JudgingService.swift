import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// Takes batches from the queue and brings them to their end, on a thread of its own.
///
/// Judging blocks for as long as the model takes, and writing for as long as the disk does; the cooperative pool has
/// one thread for each core and must not lose one to that.
struct JudgingService: Service {
    /// How long the thread waits for a batch before it shows that it is alive.
    private static let idle = Duration.seconds(1)
    private static let stackSize = 16 << 20

    let queue: FrameQueue
    let pipeline: FramePipeline
    let stalls: StallReporter
    let heartbeat: Heartbeat
    let logger: Logger
    /// How long the queue may be worked off after the end has begun.
    let stopTimeout: @Sendable () -> Duration
    /// Called once everything is judged; begins the end of the daemon unless that has begun.
    let finished: @Sendable () async -> Void

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await stopInTime() }
            try await withTaskCancellationHandler {
                try await onThread { try work() }
            } onCancel: {
                _ = queue.abandon()
            }
            group.cancelAll()
        }
        await finished()
        // The queue may be closed and empty before it is this service's turn to stop; a service that returns before its
        // turn counts as failed.
        try? await gracefulShutdown()
    }

    private func stopInTime() async {
        do {
            try await gracefulShutdown()
            queue.close()
            try await Task.sleep(for: stopTimeout())
        } catch {
            // Cancelled: the work is done.
            return
        }
        let left = queue.abandon()
        guard left > 0 else { return }
        logger.warning(
            "The time to stop is over; frames that wait are judged after the next start",
            metadata: Logger.Metadata([.count: "\(left)"])
        )
    }

    private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.name = "autoqc.judging"
            thread.stackSize = Self.stackSize
            thread.start()
        }
    }

    private func work() throws {
        while true {
            heartbeat.tick()
            switch queue.next(within: Self.idle) {
            case .batch(let frames):
                do {
                    guard let retry = try pipeline.process(frames) else { break }
                    queue.putBack(retry.frames, after: retry.delay)
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
