import Acquisition
import Logging
import Plate
import Reporting
import ServiceLifecycle
import Synchronization

/// The service manager, systemd in the daemon.
///
/// Everything works without one.
protocol ServiceNotifying: Sendable {
    /// How often a sign of life is due at least; `nil` where nobody waits for one.
    var watchdogInterval: Duration? { get }
    /// Says that everything is up, or up again after `reloading`.
    func ready()
    func status(_ text: String)
    func watchdog()
    func reloading()
    func stopping()
}

/// Tells the service manager that the daemon is ready, what it does, and that it is alive.
///
/// The sign of life is sent only while every heart has beaten within the watchdog's interval. When a judge or the watcher
/// hangs, the service manager restarts the daemon.
final class StatusService: Service {
    /// How often the status line is renewed where no watchdog asks for more.
    private static let interval = Duration.seconds(5)

    private let notifier: any ServiceNotifying
    private let hearts: @Sendable () -> [Heartbeat]
    private let queue: FrameQueue
    private let statistics: Statistics
    private let obstacles: Obstacles
    private let logger: Logger
    private let canary: CanaryService?
    private let standings: @Sendable () -> [RootStanding]
    private let isReady = Mutex(false)

    init(
        notifier: any ServiceNotifying,
        hearts: @escaping @Sendable () -> [Heartbeat],
        queue: FrameQueue,
        statistics: Statistics,
        obstacles: Obstacles,
        logger: Logger,
        canary: CanaryService? = nil,
        standings: @escaping @Sendable () -> [RootStanding] = { [] }
    ) {
        self.notifier = notifier
        self.hearts = hearts
        self.queue = queue
        self.statistics = statistics
        self.obstacles = obstacles
        self.logger = logger
        self.canary = canary
        self.standings = standings
    }

    func run() async {
        let interval = min(Self.interval, notifier.watchdogInterval.map { $0 / 3 } ?? Self.interval)
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: interval)) != nil { self.beat() }
        }
    }

    var hasBecomeReady: Bool { isReady.withLock { $0 } }

    /// Says READY once, and the first status and sign of life with it.
    func becomeReady() {
        let isFirst = isReady.withLock { isReady in
            defer { isReady = true }
            return !isReady
        }
        guard isFirst else { return }
        notifier.ready()
        beat()
    }

    /// Shows how long each part has been silent, and how long it may be.
    func show(in figures: inout DaemonFigures, now: ContinuousClock.Instant = .now) {
        figures.isReady = hasBecomeReady
        figures.watchdog = notifier.watchdogInterval.map { $0 / .seconds(1) }
        figures.parts = hearts().map {
            DaemonFigures.Silence(name: $0.name, silence: $0.silence(now: now) / .seconds(1))
        }
    }

    /// Renews the status line, and gives the sign of life if every heart has beaten.
    func beat(now: ContinuousClock.Instant = .now) {
        guard hasBecomeReady else { return }
        notifier.status(statusLine)
        guard let limit = notifier.watchdogInterval else { return }
        let silent = hearts().filter { $0.silence(now: now) >= limit }
        for heart in silent {
            logger.error(
                "A part of the daemon is stuck",
                metadata: ["part": "\(heart.name)", "silence": "\(heart.silence(now: now))"]
            )
        }
        if silent.isEmpty { notifier.watchdog() }
    }

    private var statusLine: String {
        let counts = statistics.summary.counts
        let rate = (statistics.recentRate * 10).rounded() / 10
        let silent = standings().filter { $0.silence >= AcquisitionService.patience }
        let trouble = silent.map { "NO ANSWER from \(printableName($0.root)), " }.joined()
        return trouble + obstacles.words
            + "\(queue.standing.words), \(rate) frames/s, \(counts.seen) seen, \(counts.judged) judged, "
            + "\(counts.flagged) faulty, \(counts.quarantined) quarantined"
            + (canary?.figures.map { ", \($0.words)" } ?? "")
    }
}

/// Reads the configuration again when it is asked to, and keeps the old one where the new one is wrong.
///
/// The last of the services, so that it is the first to stop: it tells the service manager that the end has begun.
struct ReloadService: Service {
    let requests: AsyncStream<Int32>
    let notifier: any ServiceNotifying
    let logger: Logger
    let reload: @Sendable () throws -> Void
    /// Whether the end was asked for; otherwise a part failed, and the daemon may go on with others.
    let isStopping: @Sendable () -> Bool

    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                for await _ in requests { handleRequest() }
                // Requests may end before the daemon does.
                try? await gracefulShutdown()
            }
        } onGracefulShutdown: {
            if isStopping() { notifier.stopping() }
        }
    }

    private func handleRequest() {
        notifier.reloading()
        do {
            try reload()
            logger.info("The configuration was read again")
        } catch {
            logger.error(
                "The new configuration is wrong and the old one stays",
                metadata: ["reason": "\(error)"]
            )
        }
        notifier.ready()
    }
}

extension FrameQueue.Standing {
    /// For example `98 waiting`, or `98 waiting, frames judged by half of their patches`, with
    /// `behind by 12.3 s` where frames are deferred.
    var words: String {
        let first = troubles.first.map { "; \(troubles.count) cannot be written: \($0)" } ?? ""
        let waiting = "\(count) waiting" + (deferred > 0 ? " (\(deferred) deferred)" : "") + first
        guard load.level > .keepingUp else { return waiting }
        let lag = "behind by \((load.lag / .milliseconds(100)).rounded() / 10) s, "
        return "\(load.level == .deferring ? lag : "")\(waiting), \(load.words)"
    }
}
