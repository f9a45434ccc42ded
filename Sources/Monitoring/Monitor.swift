import Acquisition
import Faults
import Foundation
import Ledger
package import Logging
import Plate
package import Reporting
import ServiceLifecycle
import Synchronization
import Systemd

/// The daemon: watches folders, judges every frame, and leaves masks, alarms, journal records and the ledger.
///
/// ```
/// feed -> AcquisitionService -> FrameQueue -> JudgingService (own threads) -> masks, alarm logs, journal, ledger
///         ReloadService (SIGHUP)              StatusService (READY, STATUS, WATCHDOG)
/// ```
/// At SIGTERM or SIGINT the services stop in this order: reload (says STOPPING), acquisition (takes no more files),
/// judging (works the queue off within `stop_timeout`), status. What is left is judged after the next start.
///
/// Before that, the output and its ledger are opened. Where that fails for a passing reason, the daemon waits
/// (`OutputOpening`). Where the ledger is taken away later, it is opened anew.
package final class Monitor: Sendable {
    /// When a run ends by itself.
    package enum End: Sendable {
        /// Only when it is stopped.
        case stopped
        /// When everything that lay in the folders at the start is judged.
        case listedAndDrained
    }

    /// Reads the configuration again and loads its model, or throws what is wrong with it.
    package typealias Reload = @Sendable () throws -> (configuration: Configuration, judge: any FrameJudge)

    /// Puts a fault of a class on a copy of a frame, the same one for the same seed; `nil` where the frame would not show it.
    typealias FaultyCopy = @Sendable (_ frame: Frame, _ cause: Cause, _ seed: UInt64) -> Frame?

    /// Everything that a monitor works with and a test replaces.
    struct Parts: Sendable {
        var feed: @Sendable (FrameLedger) -> any FrameFeed
        var reader: any FrameReading
        var writeMask: Sidecars.MaskWriter
        var journal: JournalReporter
        var notifier: any ServiceNotifying
        /// One element for each request, whatever it is.
        var reloadRequests: AsyncStream<Int32>
        /// The same for requests to stop.
        var stopRequests: AsyncStream<Int32>
        var now: @Sendable () -> Timestamp
        /// `nil` for a daemon that does not test itself.
        var faultyCopy: FaultyCopy?
        /// Which files were judged when the program crashed; `nil` where none are noted.
        var crashes: @Sendable () -> CrashNotes? = { nil }
        var reached: @Sendable (PipelineStep) throws -> Void = { _ in }
    }

    /// How long nothing may come at the end of a listing before the rest of it is taken for gone; a little longer
    /// than an unfinished file is given.
    private static let quietEnd = Duration.seconds(65)

    private let configuration: Mutex<Configuration>
    private let judge: any FrameJudge
    private let logger: Logger
    private let reload: Reload?
    private let makeParts: @Sendable (Configuration) -> Parts
    private let state = Mutex(State())

    private struct State {
        var isStopping = false
        var group: ServiceGroup?
        var opening: OutputOpening?
        /// Where requests to reload go; without it one is kept until there is.
        var reloads: AsyncStream<Int32>.Continuation?
        var missedReload: Int32?
        /// What the daemon says of itself now.
        var figures: (@Sendable () -> DaemonFigures)?
    }

    init(
        configuration: Configuration,
        judge: any FrameJudge,
        logger: Logger,
        reload: Reload?,
        makeParts: @escaping @Sendable (Configuration) -> Parts
    ) {
        self.configuration = Mutex(configuration)
        self.judge = judge
        self.logger = logger
        self.reload = reload
        self.makeParts = makeParts
    }

    /// What the daemon says of itself now, also while it waits for its output; `nil` before it begins.
    package var figures: DaemonFigures? { state.withLock(\.figures)?() }

    /// Runs until the end, and says what was done.
    ///
    /// Waits for an output that cannot be used now, but for `listedAndDrained`. Throws where another process uses it, where its
    /// ledger is damaged, and where a part fails for good; frames that were not judged then are judged after the next start.
    package func run(until end: End = .stopped) async throws -> MonitorSummary {
        let parts = makeParts(configuration.withLock { $0 })
        let stopping = Task { for await _ in parts.stopRequests { await self.stop() } }
        let reloading = Task { for await request in parts.reloadRequests { self.pass(request) } }
        defer {
            stopping.cancel()
            reloading.cancel()
        }
        let statistics = Statistics()
        while !state.withLock(\.isStopping) {
            do {
                try await runOnce(parts, until: end, statistics)
                break
            } catch let error as LedgerError where error.code == .gone && end == .stopped {
                logger.error(
                    "The ledger was taken away; it is opened anew, and frames without an outcome are judged",
                    metadata: ["reason": "\(error)"]
                )
            }
        }
        return statistics.summary
    }

    private func pass(_ reloadRequest: Int32) {
        state.withLock { state in
            if state.reloads?.yield(reloadRequest) == nil { state.missedReload = reloadRequest }
        }
    }

    /// Requests to reload from here on, and one that came when nobody could take it.
    private func reloadRequests() -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        state.withLock { state in
            state.missedReload.map { _ = continuation.yield($0) }
            (state.reloads, state.missedReload) = (continuation, nil)
        }
        return stream
    }

    /// Runs until the end, or until the ledger is taken away.
    private func runOnce(_ parts: Parts, until end: End, _ statistics: Statistics) async throws {
        let configuration = configuration.withLock { $0 }
        let obstacles = Obstacles(logger: logger)
        let opening = OutputOpening(
            tree: configuration.output,
            session: { DaemonSession(configuration, judge: self.judge, started: parts.now()) },
            parts: parts,
            obstacles: obstacles,
            mayWait: end == .stopped
        )
        state.withLock { state in
            state.opening = opening
            state.figures = { [started = parts.now()] in
                var figures = DaemonFigures(started: started)
                figures.obstacles = obstacles.all
                figures.process = .own
                return figures
            }
            if state.isStopping { opening.stop() }
        }
        guard let output = try await opening.open() else { return }
        let now = parts.now
        defer { output.close(at: now()) }
        if let loss = output.loss { logger.warning("\(loss)") }
        var parts = parts
        parts.reloadRequests = reloadRequests()
        defer { state.withLock { $0.reloads = nil } }
        let assembly = MonitorAssembly(
            configuration: configuration,
            judge: judge,
            parts: parts,
            output: output,
            statistics: statistics,
            obstacles: obstacles,
            logger: logger,
            quietEnd: end == .listedAndDrained ? Self.quietEnd : nil
        )
        let group = ServiceGroup(
            configuration: assembly.groupConfiguration(
                reload: { try self.reload(assembly, output.ledger, now: now) },
                isStopping: { self.state.withLock(\.isStopping) },
                finished: { await self.stop() }
            )
        )
        let isStopping = state.withLock { state in
            (state.opening, state.group) = (nil, group)
            state.figures = { assembly.figures }
            return state.isStopping
        }
        defer { state.withLock { $0.group = nil } }
        if isStopping { await group.triggerGracefulShutdown() }
        do {
            try await group.run()
        } catch {
            output.tellFailure(error, at: now())
            throw error
        }
    }

    /// Begins the end, as SIGTERM does; `run` returns when it is done.
    package func stop() async {
        let (group, opening) = state.withLock { state in
            state.isStopping = true
            return (state.group, state.opening)
        }
        opening?.stop()
        await group?.triggerGracefulShutdown()
    }

    private func reload(
        _ assembly: MonitorAssembly,
        _ ledger: FrameLedger,
        now: @Sendable () -> Timestamp
    ) throws {
        guard let reload else {
            throw ConfigurationError(
                problem: "there is no file to read again",
                remedy: "start with --config to be able to reload"
            )
        }
        let (wanted, judge) = try reload()
        let old = configuration.withLock { $0 }
        let fixed = wanted.needsRestart(after: old)
        if !fixed.isEmpty {
            logger.warning(
                "Some changes of the configuration take effect after a restart only",
                metadata: ["reason": "\(fixed.joined(separator: ", "))"]
            )
        }
        let new = wanted.reloaded(after: old)
        configuration.withLock { $0 = new }
        assembly.apply(new, judge: judge)
        let session = DaemonSession(new, judge: judge, started: now())
        do {
            try ledger.endSession(at: session.started)
            try ledger.begin(session)
        } catch {
            logger.warning(
                "The ledger does not say that the configuration was reloaded",
                metadata: ["reason": "\(error)"]
            )
        }
    }
}

extension Monitor {
    /// Watches real folders, tells the system's journal and service manager, and listens to SIGTERM, SIGINT, SIGHUP.
    ///
    /// `judge` is the detector made from `configuration.model`. `reload` reads both again at SIGHUP; without it
    /// SIGHUP is logged and changes nothing. `reloadRequests` are the SIGHUPs since before the configuration was read:
    /// until someone listens, the signal would end the process.
    package convenience init(
        configuration: Configuration,
        judge: any FrameJudge,
        logger: Logger,
        reloadRequests: AsyncStream<Int32>? = nil,
        reload: Reload? = nil
    ) {
        self.init(configuration: configuration, judge: judge, logger: logger, reload: reload) {
            configuration in
            Parts(
                feed: { FolderFeed(configuration, ledger: $0) },
                reader: TIFFFrameReader(limits: configuration.limits, choice: configuration.planeChoice),
                writeMask: Sidecars.writeTIFF,
                journal: .journalAndTerminal(logger),
                notifier: SystemdNotifier(),
                reloadRequests: reloadRequests ?? ProcessSignals.stream(of: [SIGHUP]),
                stopRequests: ProcessSignals.stream(of: [SIGTERM, SIGINT]),
                now: { .now },
                faultyCopy: { TestFault.copy(of: $0, cause: $1, seed: $2) },
                crashes: { CrashNotes(configuration.output, logger) }
            )
        }
    }
}

extension JournalReporter {
    /// Tells the system's journal, and the log where that leads elsewhere: whoever runs the daemon in a terminal sees what it finds.
    fileprivate static func journalAndTerminal(_ logger: Logger) -> JournalReporter {
        let journal = JournalReporter(journal: Journal())
        guard !ServiceLogging.standardErrorIsJournal else { return journal }
        return JournalReporter { record in
            logger.log(level: record.priority.level, "\(record.message)")
            return journal.send(record)
        }
    }
}

private struct SystemdNotifier: ServiceNotifying {
    private let manager = ServiceManager()

    var watchdogInterval: Duration? { manager.watchdogInterval }
    func ready() { manager.ready() }
    func status(_ text: String) { manager.status(text) }
    func watchdog() { manager.watchdog() }
    func reloading() { manager.reloading() }
    func stopping() { manager.stopping() }
}

extension DaemonSession {
    fileprivate init(_ configuration: Configuration, judge: any FrameJudge, started: Timestamp) {
        self.init(
            started: started,
            model: judge.model,
            modelPath: configuration.model,
            precision: judge.precisionName,
            pattern: configuration.pattern,
            folders: configuration.watch
        )
    }
}
