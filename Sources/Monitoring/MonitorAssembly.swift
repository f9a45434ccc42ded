import Acquisition
import Ledger
import Logging
import Plate
import Reporting
import ServiceLifecycle
import Synchronization

/// The parts of one run of the daemon, connected.
final class MonitorAssembly: Sendable {
    private typealias Entry = ServiceGroupConfiguration.ServiceConfiguration

    private let statistics: Statistics
    private let queue: FrameQueue
    private let pipeline: FramePipeline
    private let stalls: StallReporter
    private let conditions: ConditionReporter
    private let advice: AdviceKeeper
    private let status: StatusService
    /// `nil` where what lies there is all there is to judge, or nothing makes faults.
    private let canary: CanaryService?
    private let watching = Heartbeat(name: "watching")
    private let crew = JudgingCrew()
    private let threads: Int
    private let parts: Monitor.Parts
    private let ledger: FrameLedger
    private let feed: any FrameFeed
    private let isAfterCrash: Bool
    private let obstacles: Obstacles
    private let logger: Logger
    private let quietEnd: Duration?
    private let started: Timestamp
    private let planeChoice: PlaneChoice
    /// The judge at work, and how long the queue may be worked off at the end, as configured last.
    private let current: Mutex<(judge: any FrameJudge, stopTimeout: Duration)>

    init(
        configuration: Configuration,
        judge: any FrameJudge,
        parts: Monitor.Parts,
        output: OpenOutput,
        statistics: Statistics,
        obstacles: Obstacles,
        logger: Logger,
        quietEnd: Duration?
    ) {
        self.parts = parts
        let ledger = output.ledger
        (self.ledger, self.statistics) = (ledger, statistics)
        (isAfterCrash, feed) = (output.isAfterCrash, parts.feed(ledger))
        self.obstacles = obstacles
        self.logger = logger
        (self.quietEnd, planeChoice) = (quietEnd, configuration.planeChoice)
        current = Mutex((judge, configuration.stopTimeout))
        started = parts.now()
        queue = FrameQueue(WellQueue(configuration)) { $0.log(to: logger) }
        threads = configuration.judgingThreads
        pipeline = FramePipeline(
            environment: Self.environment(
                configuration,
                parts,
                ledger: ledger,
                queue: queue,
                statistics: statistics,
                obstacles: obstacles,
                feed: feed,
                logger: logger
            ),
            settings: FramePipeline.Settings(configuration, judge: judge)
        )
        stalls = StallReporter(ledger: ledger, timeOfDay: parts.now)
        conditions = ConditionReporter(
            ledger: ledger,
            load: { [queue] in queue.standing.load },
            freeBytes: { [tree = configuration.output] in tree.freeBytes },
            now: parts.now
        )
        advice = AdviceKeeper(pipeline.environment, expires: configuration.adviceExpires)
        canary = quietEnd == nil ? Self.canary(configuration, parts, pipeline, queue) : nil
        status = StatusService(
            notifier: parts.notifier,
            hearts: { [watching, crew] in [watching] + crew.hearts },
            queue: queue,
            statistics: statistics,
            obstacles: obstacles,
            logger: logger,
            canary: canary,
            standings: { [feed] in feed.standings }
        )
        stalls.set(limit: configuration.stalledAfter)
    }

    private static func environment(
        _ configuration: Configuration,
        _ parts: Monitor.Parts,
        ledger: FrameLedger,
        queue: FrameQueue,
        statistics: Statistics,
        obstacles: Obstacles,
        feed: any FrameFeed,
        logger: Logger
    ) -> FramePipeline.Environment {
        FramePipeline.Environment(
            ledger: ledger,
            tree: configuration.output,
            answers: AdviceLog(configuration.output),
            sidecars: Sidecars(tree: configuration.output, writeMask: parts.writeMask),
            journal: parts.journal,
            reader: parts.reader,
            statistics: statistics,
            // Each thread brings its own.
            heartbeat: Heartbeat(name: "judging"),
            obstacles: obstacles,
            logger: logger,
            now: parts.now,
            lookAgain: { feed.lookAgain($0) },
            canWrite: { [tree = configuration.output] in (try? tree.probe()) != nil },
            pause: { queue.pause(for: $0) },
            isAbandoned: { queue.isAbandoned },
            crashes: parts.crashes(),
            reached: parts.reached
        )
    }

    private static func canary(
        _ configuration: Configuration,
        _ parts: Monitor.Parts,
        _ pipeline: FramePipeline,
        _ queue: FrameQueue
    ) -> CanaryService? {
        parts.faultyCopy.map { faultyCopy in
            CanaryService(
                pipeline.environment,
                settings: configuration.canary,
                faultyCopy: faultyCopy,
                judging: { pipeline.settings },
                isQuiet: { queue.isQuiet }
            )
        }
    }

    var figures: DaemonFigures {
        var figures = DaemonFigures(started: started)
        statistics.show(in: &figures)
        status.show(in: &figures)
        let standing = queue.standing
        figures.waiting = standing.count
        figures.obstacles = obstacles.all
        figures.troubles = standing.troubles
        figures.waitingDeferred = standing.deferred
        figures.waitingSince = standing.since
        figures.lag = standing.load.lag / .seconds(1)
        figures.measures = standing.load.words
        let judge = current.withLock { $0.judge }
        figures.model = judge.model
        figures.precision = judge.precisionName
        figures.falseAlarmRate = judge.falseAlarmRate
        figures.calibrationFrames = judge.calibrationFrames
        figures.canary = canary?.figures
        figures.silentFolders = feed.standings.filter { $0.silence >= AcquisitionService.patience }
            .map { .init(name: printableName($0.root), silence: $0.silence / .seconds(1)) }
        figures.process = .own
        return figures
    }

    private static func entry(
        _ service: any Service,
        success: Entry.TerminationBehavior = .ignore,
        failure: Entry.TerminationBehavior = .gracefullyShutdownGroup
    ) -> Entry {
        Entry(service: service, successTerminationBehavior: success, failureTerminationBehavior: failure)
    }

    private var acquisitionService: AcquisitionService {
        AcquisitionService(
            feed: feed,
            queue: queue,
            ledger: ledger,
            statistics: statistics,
            status: status,
            stalls: stalls,
            heartbeat: watching,
            logger: logger,
            now: parts.now,
            started: parts.now(),
            quietEnd: quietEnd,
            choice: planeChoice
        )
    }

    private func judgingService(finished: @escaping @Sendable () async -> Void) -> JudgingService {
        JudgingService(
            queue: queue,
            pipeline: pipeline,
            stalls: stalls,
            conditions: conditions,
            advice: advice,
            crew: crew,
            threads: threads,
            logger: logger,
            isAfterCrash: isAfterCrash,
            stopTimeout: { self.current.withLock { $0.stopTimeout } },
            finished: finished
        )
    }

    /// The services in the order of their dependence; they stop the other way round.
    func groupConfiguration(
        reload: @escaping @Sendable () throws -> Void,
        isStopping: @escaping @Sendable () -> Bool,
        finished: @escaping @Sendable () async -> Void
    ) -> ServiceGroupConfiguration {
        let reloading = ReloadService(
            requests: parts.reloadRequests,
            notifier: parts.notifier,
            logger: logger,
            reload: reload,
            isStopping: isStopping
        )
        // The canary stops before acquisition does, so that the queue has all cores. Its end is no reason to stop judging.
        let selfTest = canary.map { [Self.entry($0, failure: .ignore)] } ?? []
        return ServiceGroupConfiguration(
            services: [
                Self.entry(status),
                Self.entry(judgingService(finished: finished), success: .gracefullyShutdownGroup),
                Self.entry(acquisitionService),
            ] + selfTest + [Self.entry(reloading)],
            logger: logger
        )
    }

    /// Goes on with other figures and another model, from the next batch.
    func apply(_ configuration: Configuration, judge: any FrameJudge) {
        pipeline.set(FramePipeline.Settings(configuration, judge: judge))
        queue.set(batchFrames: configuration.batchFrames, capacity: configuration.queueNames)
        stalls.set(limit: configuration.stalledAfter)
        advice.set(expires: configuration.adviceExpires)
        canary?.set(configuration.canary)
        current.withLock { $0 = (judge, configuration.stopTimeout) }
    }
}

extension WellQueue {
    /// Twenty minutes of a plate, and more than the watcher tells ahead of what is taken.
    private static let reserve = 10_000

    fileprivate init(_ configuration: Configuration) {
        self.init(
            batchFrames: configuration.batchFrames,
            capacity: configuration.queueNames,
            reserve: Self.reserve,
            load: Load(threads: configuration.judgingThreads)
        )
    }
}

extension Load.Level {
    fileprivate var message: Logger.Message {
        switch self {
        case .keepingUp: "Judging keeps up again, with whole frames"
        case .halfPatches:
            "Frames come faster than whole ones can be judged; each is judged by half of its patches"
        case .deferring: "Judging is behind; no frame is lost, and every second one is judged later"
        }
    }
}

extension Load.Change {
    fileprivate func log(to logger: Logger) {
        logger.warning(
            now.message,
            metadata: [
                "lag": "\((load.lag / .milliseconds(100)).rounded() / 10) s", "count": "\(load.waiting)",
            ]
        )
    }
}

extension FramePipeline.Settings {
    init(_ configuration: Configuration, judge: any FrameJudge) {
        self.init(
            judge: judge,
            threshold: configuration.threshold,
            hysteresis: configuration.hysteresis,
            evidence: configuration.hysteresisEvidence,
            batchFrames: configuration.batchFrames,
            masks: configuration.masks,
            regions: configuration.regions,
            scores: configuration.scores,
            frozenFrames: configuration.frozenFrames,
            drift: configuration.drift,
            plateRules: configuration.plateRules,
            adviceRules: configuration.adviceRules,
            readAttempts: configuration.readAttempts,
            namesByFrame: (try? FramePattern(configuration.pattern))?.hasFolders ?? false
        )
    }
}
