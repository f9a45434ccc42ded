import Foundation
import Ledger
import Plate
import Reporting
import Synchronization

/// An output folder that this process alone writes, with its ledger.
final class OpenOutput: Sendable {
    let ledger: FrameLedger
    /// Whether the session before ended without saying so.
    let isAfterCrash: Bool
    /// What the ledger lacks; `nil` where nothing is known to be missing.
    let loss: String?
    private let lock: OutputLock

    /// Opens or makes everything, and begins a session.
    init(tree: OutputTree, session: DaemonSession) throws {
        try tree.probe()
        lock = try OutputLock(tree: tree)
        try tree.prepare()
        let log = LedgerLog(of: tree.ledger)
        ledger = try FrameLedger(path: tree.ledger)
        isAfterCrash = try ledger.sessions().last.map { $0.ended == nil } ?? false
        loss = isAfterCrash ? log.loss : nil
        try ledger.begin(session)
        try tellEndOfFailure(at: session.started)
        // So that a ledger without its log is known as one that was in use.
        try? ledger.checkpoint(emptying: false)
    }

    private func tellEndOfFailure(at time: Timestamp) throws {
        let hasFailed = try ledger.lastEvent(of: [.failed, .failedClear]) == .failed
        guard isAfterCrash || hasFailed else { return }
        let reason =
            isAfterCrash ? "it had been killed, had crashed, or lost power" : "it had ended with an error"
        let event = Event(.failedClear, at: time, reason: reason, identity: time.iso8601)
        try ledger.record(events: [event])
    }

    /// Records that the daemon ends by an error; where that is not possible, its log and the service manager say so.
    func tellFailure(_ error: any Error, at time: Timestamp) {
        let event = Event(.failed, at: time, reason: "\(error)", identity: time.iso8601)
        try? ledger.record(events: [event])
    }

    /// Ends the session; what could not be written then is said at the next start.
    func close(at time: Timestamp) {
        try? ledger.endSession(at: time)
        try? ledger.close()
    }
}

/// Opens the output, and waits where it cannot be used now: it is full, read-only, not mounted, or its ledger is locked.
///
/// Meanwhile the daemon is up: the service manager is told READY, a status and signs of life, and the end can come at any moment, even while a system call hangs.
final class OutputOpening: Sendable {
    private enum Event: Sendable {
        case tried(Result<OpenOutput, any Error>)
        case tick, stop
    }

    private static let firstDelay = Duration.milliseconds(250)
    private static let longestDelay = Duration.seconds(10)
    private static let interval = Duration.seconds(1)
    /// An attempt that takes longer hangs.
    private static let patience = Duration.seconds(15)

    private let tree: OutputTree
    private let session: @Sendable () -> DaemonSession
    private let parts: Monitor.Parts
    private let obstacles: Obstacles
    private let mayWait: Bool
    private let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let clock = ContinuousClock()

    init(
        tree: OutputTree,
        session: @escaping @Sendable () -> DaemonSession,
        parts: Monitor.Parts,
        obstacles: Obstacles,
        mayWait: Bool
    ) {
        (self.tree, self.session, self.parts) = (tree, session, parts)
        (self.obstacles, self.mayWait) = (obstacles, mayWait)
        (events, continuation) = AsyncStream.makeStream()
    }

    /// Gives up waiting.
    func stop() { continuation.yield(.stop) }

    /// The open output; `nil` where the end came before.
    ///
    /// Throws what does not pass.
    func open() async throws -> OpenOutput? {
        var wait = Wait(began: clock.now)
        let ticking = Task { [continuation] in
            while (try? await Task.sleep(for: Self.interval)) != nil { continuation.yield(.tick) }
        }
        defer {
            ticking.cancel()
            if wait.isBlocked { obstacles.pass(Obstacle.output) }
        }
        attempt()
        for await event in events {
            switch event {
            case .stop:
                parts.notifier.stopping()
                return nil
            case .tick: tick(&wait)
            case .tried(.success(let output)): return output
            case .tried(.failure(let error)):
                guard mayWait, Obstacle.mayPass(error) else { throw error }
                meet("\(error)", cause: Obstacle.cause(of: error), &wait)
                wait.tryAgain = clock.now + wait.delay
                wait.delay = min(wait.delay * 2, Self.longestDelay)
            }
        }
        return nil
    }

    private struct Wait {
        var began: ContinuousClock.Instant
        /// When the next attempt is due; `nil` while one goes on.
        var tryAgain: ContinuousClock.Instant?
        var delay = OutputOpening.firstDelay
        var isBlocked = false
    }

    /// On a thread of its own: a file system may not answer.
    private func attempt() {
        let thread = Thread { [tree, session, continuation] in
            continuation.yield(.tried(Result { try OpenOutput(tree: tree, session: session()) }))
        }
        thread.name = "autoqc.opening"
        thread.start()
    }

    private func tick(_ wait: inout Wait) {
        let now = clock.now
        if let due = wait.tryAgain {
            if now >= due {
                (wait.tryAgain, wait.began) = (nil, now)
                attempt()
            }
        } else if mayWait, now - wait.began >= Self.patience {
            meet("\(tree.root) does not answer.", cause: "no answer", &wait)
        }
        guard wait.isBlocked else { return }
        parts.notifier.status(obstacles.words)
        parts.notifier.watchdog()
    }

    private func meet(_ reason: String, cause: String, _ wait: inout Wait) {
        obstacles.meet(Obstacle.output, reason, cause: cause, isFirst: !wait.isBlocked)
        guard !wait.isBlocked else { return }
        wait.isBlocked = true
        parts.notifier.ready()
        parts.notifier.status(obstacles.words)
    }
}
