import Logging
import ServiceLifecycle
import Synchronization

/// Takes batches from the queue and judges them, on threads of its own (`JudgingCrew`).
///
/// Judging blocks for as long as the model takes, and writing for as long as the disk takes. The cooperative pool has one
/// thread for each core and must not lose one to that. Each thread reads, judges and writes its batch alone.
struct JudgingService: Service {
    /// How long a thread waits for a batch before it shows that it is alive.
    private static let idle = Duration.seconds(1)

    let queue: FrameQueue
    let pipeline: FramePipeline
    let stalls: StallReporter
    var conditions: ConditionReporter?
    var advice: AdviceKeeper?
    let crew: JudgingCrew
    let threads: Int
    let logger: Logger
    /// Whether the last session ended in a crash.
    var isAfterCrash = false
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
        leaveTroubled()
        await finished()
        // The queue may be closed and empty before this service is told to stop. A service that returns before it is told to
        // counts as failed.
        try? await gracefulShutdown()
    }

    /// Returns when every thread is done but those whose folder does not answer; where one fails, the others end with the batch
    /// they have.
    func judge() async throws {
        try await withTaskCancellationHandler {
            let isFirst = Mutex(isAfterCrash)
            try await crew.run(threads, queue: queue, failed: { _ = queue.abandon() }) { heart, thread in
                try work(
                    heart,
                    thread,
                    catchesUp: isFirst.withLock { isFirst in
                        defer { isFirst = false }
                        return isFirst
                    }
                )
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
        leave(left)
    }

    /// What could not be written until the end.
    private func leaveTroubled() {
        let left = queue.abandon()
        guard !left.isEmpty else { return }
        logger.error(
            "Frames that cannot be written, and those behind them, are left for the next start",
            metadata: ["count": "\(left.count)"]
        )
        leave(left)
    }

    private func leave(_ frames: [QueuedFrame]) {
        pipeline.leave(frames, because: "the daemon was stopped before it was judged")
    }

    private func work(_ heart: Heartbeat, _ thread: Int, catchesUp: Bool) throws {
        let pipeline = pipeline.with(heartbeat: heart, thread: thread)
        defer { heart.rest() }
        do {
            if catchesUp { try pipeline.catchUp() }
            while try !crew.isRelieved(heart) && step(pipeline, heart) {}
        } catch is FramePipeline.Abandoned {
            return
        }
    }

    /// Judges a batch, or waits for one; `false` where none will come.
    private func step(_ pipeline: FramePipeline, _ heart: Heartbeat) throws -> Bool {
        heart.tick()
        switch queue.next(within: Self.idle) {
        case .batch(let batch):
            let retry = try pipeline.process(batch.frames, tier: batch.tier)
            leave(queue.finish(batch, retry: retry))
        case .idle: break
        case .finished: return false
        }
        stalls.report { pipeline.report($0, silence: $1) }
        conditions?.report()
        advice?.keep()
        return true
    }
}
