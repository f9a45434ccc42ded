import Ledger
import Logging
import Reporting
import ServiceLifecycle
import Synchronization

/// The parts of one run of the daemon, connected.
struct MonitorAssembly: Sendable {
    let statistics = Statistics()
    private let queue: FrameQueue
    private let pipeline: FramePipeline
    private let stalls = StallReporter()
    private let acquisition: AcquisitionService
    private let judging: JudgingService
    private let status: StatusService
    private let parts: Monitor.Parts
    private let logger: Logger
    private let stopTimeout: StopTimeout

    /// How long the queue may be worked off, as configured last.
    private final class StopTimeout: Sendable {
        let value: Mutex<Duration>
        init(_ time: Duration) { value = Mutex(time) }
    }

    init(
        configuration: Configuration,
        judge: any FrameJudge,
        parts: Monitor.Parts,
        ledger: FrameLedger,
        logger: Logger,
        endsWithListing: Bool
    ) {
        self.parts = parts
        self.logger = logger
        let queue = FrameQueue(
            WellQueue(
                batchFrames: configuration.batchFrames,
                batchWait: configuration.batchWait,
                capacity: configuration.queueNames
            )
        )
        let hearts = (watching: Heartbeat(name: "watching"), judging: Heartbeat(name: "judging"))
        let stopTimeout = StopTimeout(configuration.stopTimeout)
        pipeline = FramePipeline(
            environment: FramePipeline.Environment(
                ledger: ledger,
                tree: configuration.output,
                sidecars: Sidecars(tree: configuration.output, writeMask: parts.writeMask),
                journal: JournalReporter(send: parts.sendToJournal),
                reader: parts.reader,
                statistics: statistics,
                heartbeat: hearts.judging,
                logger: logger,
                now: parts.now,
                pause: { queue.pause(for: $0) },
                reached: parts.reached
            ),
            settings: FramePipeline.Settings(configuration, judge: judge)
        )
        status = StatusService(
            notifier: parts.notifier,
            hearts: [hearts.watching, hearts.judging],
            queue: queue,
            statistics: statistics,
            logger: logger
        )
        acquisition = AcquisitionService(
            feed: parts.feed,
            queue: queue,
            ledger: ledger,
            statistics: statistics,
            status: status,
            stalls: stalls,
            heartbeat: hearts.watching,
            logger: logger,
            now: parts.now,
            endsWithListing: endsWithListing
        )
        judging = JudgingService(
            queue: queue,
            pipeline: pipeline,
            stalls: stalls,
            heartbeat: hearts.judging,
            logger: logger,
            stopTimeout: { stopTimeout.value.withLock { $0 } }
        )
        stalls.set(limit: configuration.stalledAfter)
        self.queue = queue
        self.stopTimeout = stopTimeout
    }

    /// The services in the order of their dependence; they stop the other way round.
    func groupConfiguration(reload: @escaping @Sendable () throws -> Void) -> ServiceGroupConfiguration {
        typealias Entry = ServiceGroupConfiguration.ServiceConfiguration
        let reloading = ReloadService(
            requests: parts.reloadRequests,
            notifier: parts.notifier,
            logger: logger,
            reload: reload
        )
        return ServiceGroupConfiguration(
            services: [
                Entry(
                    service: status,
                    successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                ),
                Entry(
                    service: judging,
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                ),
                Entry(
                    service: acquisition,
                    successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                ),
                Entry(
                    service: reloading,
                    successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                ),
            ],
            gracefulShutdownSignals: parts.stopSignals,
            logger: logger
        )
    }

    /// Goes on with other figures and another model, from the next batch.
    func apply(_ configuration: Configuration, judge: any FrameJudge) {
        pipeline.settings = FramePipeline.Settings(configuration, judge: judge)
        queue.set(
            batchFrames: configuration.batchFrames,
            batchWait: configuration.batchWait,
            capacity: configuration.queueNames
        )
        stalls.set(limit: configuration.stalledAfter)
        stopTimeout.value.withLock { $0 = configuration.stopTimeout }
    }
}

extension FramePipeline.Settings {
    /// What a configuration says of judging.
    init(_ configuration: Configuration, judge: any FrameJudge) {
        self.init(
            judge: judge,
            threshold: configuration.threshold,
            hysteresis: configuration.hysteresis,
            batchFrames: configuration.batchFrames,
            masks: configuration.masks,
            regions: configuration.regions,
            readAttempts: configuration.readAttempts
        )
    }
}

extension Configuration {
    /// The keys whose change a running daemon does not follow.
    func needsRestart(after old: Configuration) -> [String] {
        [
            ("output", output != old.output), ("watch", watch != old.watch),
            ("pattern", pattern != old.pattern),
            ("only_new", onlyNew != old.onlyNew), ("limits", limits != old.limits),
            ("threads", threads != old.threads), ("log.level", logLevel != old.logLevel),
        ].filter(\.1).map(\.0)
    }
}
