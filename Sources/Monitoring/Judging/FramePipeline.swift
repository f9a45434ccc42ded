import Acquisition
import Files
import Frames
import Ledger
import Logging
import Plate
import Reporting
import Rules
import Synchronization

/// The way of a well's batch from names to durable outcomes: read, judge, write masks, alarms and journal, record.
///
/// Every effect can be repeated without showing twice, and the ledger learns of a batch last; so after a crash at any
/// moment the frames of that batch are judged again and nothing is lost or doubled. Nothing depends on what the pipeline remembers:
/// a well's state is replayed from the ledger, what was announced from the alarm log, and what was seen from the files.
///
/// Each judging thread has a copy with a heart of its own; the copies share what may change and what was warned of. Batches
/// of different wells may be processed at once, two of the same well may not: its alarm log and its state are its own.
struct FramePipeline: Sendable {
    /// What may change while the daemon runs.
    struct Settings: Sendable {
        var judge: any FrameJudge
        var threshold: Double?
        var hysteresis = StateHysteresis.Rule()
        /// Whether a fault too weak for single frames turns a well faulty, too.
        var evidence = true
        var batchFrames = 4
        var masks = true
        var regions = true
        var scores = true
        /// How often in a row a well may give the same image before it counts as frozen; 0 for never.
        var frozenFrames = 0
        /// Whether wells are watched for slow changes.
        var drift = true
        /// Whether the wells of a plate are judged side by side as their frames come: only then does anything follow from how
        /// they stand together, for the plate and as advice.
        var isLive = true
        var plateRules = PlateRules()
        var adviceRules = AdviceRules()
        var readAttempts = 5
        /// Whether sidecars are named by well and index, `B01_f100`, as files of different wells may have the same name.
        var namesByFrame = false
        /// How the batch at hand is judged.
        var tier = Tier.full
    }

    struct Environment: Sendable {
        var ledger: FrameLedger
        var tree: OutputTree
        var logs = LogAccess()
        /// What the next frame of each view is compared with.
        var arrivals = KnownArrivals()
        /// What was answered to advice.
        var answers: AdviceLog
        var sidecars: Sidecars
        var journal: JournalReporter
        var reader: any FrameReading
        var statistics: Statistics
        var heartbeat: Heartbeat
        var obstacles: Obstacles
        var logger: Logger
        var now: @Sendable () -> Timestamp
        /// Hands back a file that could not be seen; it comes again when it can be.
        var lookAgain: @Sendable (FrameFile) -> Void = { _ in }
        /// Whether the output folder takes a file now.
        var canWrite: @Sendable () -> Bool
        /// Blocks for some time; `false` where the rest is to be left for the next start.
        var pause: @Sendable (Duration) -> Bool
        /// Whether the rest is to be left for the next start.
        var isAbandoned: @Sendable () -> Bool = { false }
        /// Which files were judged at a crash; `nil` where none are noted.
        var crashes: CrashNotes?
        /// What this thread notes of them.
        var note: JudgingNote?
        /// Told of every step; what it throws ends the pipeline as a crash would.
        var reached: @Sendable (PipelineStep) throws -> Void = { _ in }
    }

    /// Frames of a batch that are to be tried again after a while.
    struct Retry: Equatable {
        var frames: [QueuedFrame]
        var delay: Duration
    }

    /// The rest is left for the next start, because the time to stop is over.
    struct Abandoned: Error {}

    private static let firstDelay = Duration.milliseconds(250)
    /// Well below any sensible watchdog interval: the heart beats between two attempts.
    private static let longestDelay = Duration.seconds(10)

    /// A frame whose results cannot be written, though the output can.
    private struct Unwritable: Error {
        let source: FrameSource
        let reason: String
    }

    private final class Shared: Sendable {
        let settings: Mutex<Settings>
        /// Warnings that were logged; each once in the daemon's life.
        let warned = Mutex<Set<String>>([])
        /// Models that the ledger was told of since the start.
        let introduced = Mutex<Set<String>>([])

        init(_ settings: Settings) {
            self.settings = Mutex(settings)
        }
    }

    var environment: Environment
    private let shared: Shared

    init(environment: Environment, settings: Settings) {
        self.environment = environment
        shared = Shared(settings)
    }

    /// The pipeline of the calling thread, one of the judging ones, counted from 1.
    func with(heartbeat: Heartbeat, thread: Int) -> FramePipeline {
        var pipeline = self
        pipeline.environment.heartbeat = heartbeat
        pipeline.environment.note = environment.crashes?.thread(thread)
        return pipeline
    }

    var settings: Settings { shared.settings.withLock { $0 } }

    /// Judges with other figures or another model from the next batch of each thread.
    func set(_ settings: Settings) {
        shared.settings.withLock { $0 = settings }
    }

    /// Brings every frame of a well's batch to its end, but for those it returns to be tried again.
    ///
    /// A file of many frames comes back after each `Turn`, so that other wells are judged between its frames. A frame that
    /// cannot be written comes back, too. Waits as long as nothing can be written. Throws `Abandoned`, and a ledger's error that
    /// does not heal.
    func process(_ batch: [QueuedFrame], tier: Tier = .full) throws -> Retry? {
        defer { environment.note?.clear() }
        var settings = settings
        settings.tier = tier
        do {
            let retry = try judge(batch, &settings)
            for frame in batch.dropLast(retry?.frames.count ?? 0) { tellPassed(frame) }
            return retry
        } catch let error as Unwritable {
            let place = error.source.page(0).place
            let position = batch.firstIndex { $0.file.source.page(0).place == place } ?? batch.startIndex
            for frame in batch[..<position] { tellPassed(frame) }
            return retry(batch[position...], because: error.reason)
        } catch let error as LedgerError where error.code == .refused {
            return retry(batch[...], because: "\(error)")
        }
    }

    private func judge(_ batch: [QueuedFrame], _ settings: inout Settings) throws -> Retry? {
        guard let first = batch.first?.file.frame else { return nil }
        settings.judge = settings.judge.judging(first.well, of: first.run)
        try introduce(settings.judge)
        let files = batch.map(\.file.source)
        let settled = try persist { try environment.ledger.settled(files) }
        var results: [PageResult] = []
        for (position, queued) in batch.enumerated() {
            environment.heartbeat.tick()
            if position > 0, environment.isAbandoned() {
                try finish(&results, settings)
                return Retry(frames: Array(batch[position...]), delay: .zero)
            }
            if settled.contains(files[position]), !queued.file.mayHoldNews {
                environment.statistics.add(\.known)
                continue
            }
            if try skipMoved(queued.file) { continue }
            do {
                let isDone = try environment.heartbeat.asking(queued.file.source.root) {
                    try judgeNoted(queued, into: &results, settings) { results in
                        try judge(queued, into: &results, settings)
                    }
                }
                guard isDone else {
                    try finish(&results, settings)
                    return Retry(frames: Array(batch[position...]), delay: .zero)
                }
            } catch let error as FrameReadError {
                try finish(&results, settings)
                return retry(batch[position...], because: error)
            }
            if isDue(results, settings) { try finish(&results, settings) }
        }
        try finish(&results, settings)
        return nil
    }

    /// Makes up for what a crash kept from being told after the ledger had the batch.
    func catchUp() throws {
        try persist {
            do {
                try PlateReport(settings: settings, environment: environment).catchUp()
            } catch  where isOfFrame(error) {
                environment.logger.error(
                    "A plate's alarm cannot be written",
                    metadata: ["reason": "\(error)"]
                )
            }
        }
    }

    /// Tells the ledger which file has the name that records are to give, once.
    private func introduce(_ judge: any FrameJudge) throws {
        guard let path = judge.modelPath, !shared.introduced.withLock({ $0.contains(judge.model) }) else {
            return
        }
        try persist {
            try environment.ledger.introduce(model: judge.model, path: path, at: environment.now())
        }
        shared.introduced.withLock { _ = $0.insert(judge.model) }
    }

    /// The first frame again because its results cannot be written; those behind it wait, so that the order of time is kept.
    private func retry(_ frames: ArraySlice<QueuedFrame>, because reason: String) -> Retry {
        var frames = Array(frames)
        let before = frames[0].trouble
        frames[0].trouble = QueuedFrame.Trouble(reason: reason, attempts: (before?.attempts ?? 0) + 1)
        if before?.reason != reason {
            environment.logger.error(
                "What was found of a frame cannot be written; its well waits, others go on",
                metadata: ["file": "\(frames[0].file.source.path)", "reason": "\(reason)"]
            )
            leave([frames[0]], because: reason)
        }
        return Retry(frames: frames, delay: Self.firstDelay * (1 << min(before?.attempts ?? 0, 7)))
    }

    private func tellPassed(_ frame: QueuedFrame) {
        guard frame.trouble != nil else { return }
        environment.logger.notice(
            "What was found of a frame is written now",
            metadata: ["file": "\(frame.file.source.path)"]
        )
    }

    /// The first frame again, after a time that doubles; those behind it wait, so that the order of time is kept.
    private func retry(_ frames: ArraySlice<QueuedFrame>, because error: FrameReadError) -> Retry {
        var frames = Array(frames)
        let delay = Self.firstDelay * (1 << min(frames[0].attempts, 5))
        frames[0].attempts += 1
        environment.logger.debug(
            "A file is not complete yet and is tried again",
            metadata: ["file": "\(frames[0].file.source.path)", "reason": "\(error.reason)"]
        )
        return Retry(frames: frames, delay: delay)
    }

    /// A faulty frame is written at once, so that no thread holds the pictures of more than one.
    func isDue(_ results: [PageResult], _ settings: Settings) -> Bool {
        results.count >= settings.batchFrames || results.last?.hasPictures == true
    }

    func finish(_ results: inout [PageResult], _ settings: Settings) throws {
        guard !results.isEmpty else { return }
        environment.heartbeat.tick()
        try environment.reached(.judged)
        let written = results
        results = []
        do {
            try write(written, settings)
        } catch is Unwritable where written.count > 1 {
            // One of them only may be the one that cannot be written.
            for result in written { try write([result], settings) }
        }
    }

    private func write(_ results: [PageResult], _ settings: Settings) throws {
        var report = BatchReport(results: results, settings: settings, environment: environment)
        try persist {
            do {
                try report.carryOut()
            } catch  where isOfFrame(error) {
                throw Unwritable(source: results[0].source, reason: "\(error)")
            }
        }
    }

    /// Whether what was written is to blame, as everything else can be written.
    private func isOfFrame(_ error: any Error) -> Bool {
        if let error = error as? LedgerError { return error.code == .refused }
        guard let error = error as? OutputError, error.code != .noSpace else { return false }
        return environment.canWrite()
    }

    /// Once for each folder and kind of file.
    func warn(of note: String, about file: FrameFile) {
        let folder = file.path.lastIndex(of: "/").map { String(file.path[..<$0]) } ?? ""
        guard shared.warned.withLock({ $0.insert("\(folder)\n\(note)").inserted }) else { return }
        environment.logger.warning(
            "Files have several channels or z-planes, and none was chosen",
            metadata: ["file": "\(file.path)", "reason": "\(note)"]
        )
    }

    func warn(of frame: Frame, _ settings: Settings) {
        guard let warning = settings.judge.warning(for: frame),
            shared.warned.withLock({ $0.insert(warning).inserted })
        else { return }
        environment.logger.warning(
            "The model was calibrated on other frames",
            metadata: ["reason": "\(warning)"]
        )
    }

    /// Repeats something until the output takes it.
    func persist<Value>(_ body: () throws -> Value) throws -> Value {
        try environment.heartbeat.working { try persisted(body) }
    }

    private func persisted<Value>(_ body: () throws -> Value) throws -> Value {
        var delay = Self.firstDelay
        var isWaiting = false
        defer { if isWaiting { environment.obstacles.pass(Obstacle.output) } }
        while true {
            do {
                return try body()
            } catch let error where Obstacle.mayPass(error) {
                let (reason, cause) = ("\(error)", Obstacle.cause(of: error))
                environment.obstacles.meet(Obstacle.output, reason, cause: cause, isFirst: !isWaiting)
                isWaiting = true
            }
            environment.heartbeat.tick()
            guard environment.pause(delay) else { throw Abandoned() }
            delay = min(delay * 2, Self.longestDelay)
        }
    }

    /// Notes in the ledger what waits or is left for the next start, which finds it with or without that.
    func leave(_ frames: [QueuedFrame], because reason: String) {
        guard !frames.isEmpty else { return }
        let now = environment.now()
        let pending = frames.map {
            PendingFrame(
                source: $0.file.source,
                frame: $0.file.frame,
                reason: $0.trouble?.reason ?? reason,
                since: now
            )
        }
        do {
            try environment.ledger.leave(pending)
        } catch {
            environment.logger.warning(
                "The ledger does not say which frames wait",
                metadata: ["reason": "\(error)"]
            )
        }
    }

    /// Reports wells that get no more frames; unlike a frame's alarm it is not repeated if the output fails.
    func report(_ stall: StallWatch.Stall, silence: Duration) {
        let what = stall.isWholeRun ? "no frame of the whole run" : "no frame of this well"
        let alarm = Alarm(
            time: environment.now(),
            event: .stalled,
            frame: stall.last,
            model: settings.judge.model,
            reason: "\(what) for \(silence.components.seconds) s"
        )
        do {
            try environment.logs.alone {
                var log = try AlarmLog(tree: environment.tree, run: stall.last.run, well: stall.last.well)
                try log.append([alarm])
            }
            try environment.ledger.record([], alarms: [alarm], events: [alarm].compactMap { Event($0) })
        } catch {
            environment.logger.error("A stalled well could not be logged", metadata: ["reason": "\(error)"])
        }
        environment.journal.report(alarm)
    }
}
