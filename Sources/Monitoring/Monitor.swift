import Acquisition
import Faults
import Foundation
package import Ledger
package import Logging
import Plate
package import Reporting
package import ServiceLifecycle
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

    /// Makes services that run beside the daemon's own, from its ledger and from what it says of itself.
    ///
    /// They stop last, and judging goes on if they fail.
    package typealias Companions =
        @Sendable (_ ledger: FrameLedger, _ figures: @escaping @Sendable () -> DaemonFigures) -> [any Service]

    /// Puts a fault of a class on a copy of a frame, the same one for the same seed; `nil` where the frame would not show it.
    typealias FaultyCopy = @Sendable (_ frame: Frame, _ cause: Cause, _ seed: UInt64) -> Frame?

    /// Everything that a monitor works with and a test replaces.
    struct Parts: Sendable {
        var feed: any FrameFeed
        var reader: any FrameReading
        var writeMask: Sidecars.MaskWriter
        var journal: JournalReporter
        var notifier: any ServiceNotifying
        /// One element for each request, whatever it is.
        var reloadRequests: AsyncStream<Int32>
        /// The same for requests to stop.
        var stopRequests: AsyncStream<Int32>
        var now: @Sendable () -> Timestamp
        var companions: Companions = { _, _ in [] }
        /// `nil` for a daemon that does not test itself.
        var faultyCopy: FaultyCopy?
        /// Which files were judged when the program crashed; `nil` where none are noted.
        var crashes: CrashNotes?
        var reached: @Sendable (PipelineStep) throws -> Void = { _ in }
    }

    /// How long nothing may come at the end of a listing before the rest of it is taken for gone; a little longer
    /// than an unfinished file is given.
    private static let quietEnd = Duration.seconds(65)

    private let configuration: Mutex<Configuration>
    private let judge: any FrameJudge
    private let logger: Logger
    private let reload: Reload?
    private let makeParts: @Sendable (Configuration, FrameLedger) async throws -> Parts
    private let group = Mutex<ServiceGroup?>(nil)

    init(
        configuration: Configuration,
        judge: any FrameJudge,
        logger: Logger,
        reload: Reload?,
        makeParts: @escaping @Sendable (Configuration, FrameLedger) async throws -> Parts
    ) {
        self.configuration = Mutex(configuration)
        self.judge = judge
        self.logger = logger
        self.reload = reload
        self.makeParts = makeParts
    }

    /// Runs until the end, and says what was done.
    ///
    /// Throws where the output or the ledger cannot be used at the start, or another process uses them, and where a
    /// part fails for good; frames that were not judged then are judged after the next start.
    package func run(until end: End = .stopped) async throws -> MonitorSummary {
        let configuration = configuration.withLock { $0 }
        try configuration.output.probe()
        let lock = try OutputLock(tree: configuration.output)
        try configuration.output.prepare()
        let ledger = try FrameLedger(path: configuration.output.ledger)
        let parts = try await makeParts(configuration, ledger)
        try ledger.begin(DaemonSession(configuration, judge: judge, started: parts.now()))
        let assembly = MonitorAssembly(
            configuration: configuration,
            judge: judge,
            parts: parts,
            ledger: ledger,
            logger: logger,
            quietEnd: end == .listedAndDrained ? Self.quietEnd : nil
        )
        let group = ServiceGroup(
            configuration: assembly.groupConfiguration(
                reload: { try self.reload(assembly, ledger, now: parts.now) },
                finished: { await self.stop() }
            )
        )
        self.group.withLock { $0 = group }
        defer { self.group.withLock { $0 = nil } }
        let stopping = Task { for await _ in parts.stopRequests { await self.stop() } }
        defer { stopping.cancel() }
        defer {
            try? ledger.endSession(at: parts.now())
            try? ledger.close()
            withExtendedLifetime(lock) {}
        }
        try await group.run()
        return assembly.statistics.summary
    }

    /// Begins the end, as SIGTERM does; `run` returns when it is done.
    package func stop() async {
        await group.withLock { $0 }?.triggerGracefulShutdown()
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
    /// until someone listens, the signal would end the process. `companions` run beside the daemon's own services.
    package convenience init(
        configuration: Configuration,
        judge: any FrameJudge,
        logger: Logger,
        reloadRequests: AsyncStream<Int32>? = nil,
        reload: Reload? = nil,
        companions: @escaping Companions = { _, _ in [] }
    ) {
        self.init(configuration: configuration, judge: judge, logger: logger, reload: reload) {
            configuration,
            ledger in
            Parts(
                feed: FolderFeed(configuration, ledger: ledger),
                reader: TIFFFrameReader(limits: configuration.limits, choice: configuration.planeChoice),
                writeMask: Sidecars.writeTIFF,
                journal: JournalReporter(journal: Journal()),
                notifier: SystemdNotifier(),
                reloadRequests: reloadRequests ?? ProcessSignals.stream(of: [SIGHUP]),
                stopRequests: ProcessSignals.stream(of: [SIGTERM, SIGINT]),
                now: { .now },
                companions: companions,
                faultyCopy: { TestFault.copy(of: $0, cause: $1, seed: $2) },
                crashes: CrashNotes(configuration.output, logger)
            )
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
