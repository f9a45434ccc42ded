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
/// moment the frames of that batch are judged again and nothing is lost or doubled. The pipeline remembers nothing:
/// a well's state is replayed from the ledger, what was announced from the alarm log.
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
        var plateRules = PlateRules()
        /// Share of faulty wells from which on stopping is advised; 0 for never.
        var stopShare = 0.5
        var readAttempts = 5
        /// Whether sidecars are named by well and index, `B01_f100`, as files of different wells may have the same name.
        var namesByFrame = false
        /// Whether the batch at hand is judged in order.
        var tier = Tier.full
    }

    struct Environment: Sendable {
        var ledger: FrameLedger
        var tree: OutputTree
        var logs = LogAccess()
        var sidecars: Sidecars
        var journal: JournalReporter
        var reader: any FrameReading
        var statistics: Statistics
        var heartbeat: Heartbeat
        var logger: Logger
        var now: @Sendable () -> Timestamp
        /// Blocks for some time; `false` where the rest is to be left for the next start.
        var pause: @Sendable (Duration) -> Bool
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

    private(set) var environment: Environment
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
    /// Waits as long as the output cannot be written. Throws `Abandoned`, and a ledger's error that does not heal.
    func process(_ batch: [QueuedFrame], tier: Tier = .full) throws -> Retry? {
        guard let first = batch.first?.file.frame else { return nil }
        defer { environment.note?.clear() }
        var settings = settings
        settings.tier = tier
        settings.judge = settings.judge.judging(first.well, of: first.run)
        try introduce(settings.judge)
        let files = batch.map(\.file.source)
        let settled = try persist { try environment.ledger.settled(files) }
        var results: [PageResult] = []
        for (position, queued) in batch.enumerated() {
            environment.heartbeat.tick()
            if settled.contains(files[position]) {
                environment.statistics.add(\.known)
                continue
            }
            if try skipMoved(queued.file) { continue }
            do {
                try judgeNoted(queued, into: &results, settings) { results in
                    try judge(queued, into: &results, settings)
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

    /// Whether the very same file was judged under another name, before it or its folder was renamed.
    private func skipMoved(_ file: FrameFile) throws -> Bool {
        let ledger = environment.ledger
        return try persist {
            let twin = try ledger.records(of: file.frame).first { record in
                record.source.identity == file.source.identity && record.state == .judged
                    && record.source.place != file.source.page(record.source.page).place
            }
            guard let twin else { return false }
            guard try !ledger.settled([twin.source]).isEmpty else { return false }
            try skip(file, because: "the same file was judged as \(twin.source.path)")
            return true
        }
    }

    private func skip(_ file: FrameFile, because reason: String) throws(LedgerError) {
        try environment.ledger.record([
            FrameRecord(
                source: file.source,
                frame: file.frame,
                outcome: .skipped(reason: reason),
                completed: file.completed,
                judged: environment.now()
            )
        ])
        environment.statistics.add(\.skipped)
    }

    /// Judges the frames of a file that are there and have no outcome; throws what may be mended by another try.
    private func judge(_ queued: QueuedFrame, into results: inout [PageResult], _ settings: Settings) throws {
        let file = queued.file
        let mayTryAgain = queued.givenUp == nil && queued.attempts + 1 < settings.readAttempts
        let open: any OpenFrames
        var stack: FrameStack
        do throws(FrameReadError) {
            open = try environment.reader.open(file.path)
            stack = try FrameStack(open, file, isComing: file.isGrowing && queued.givenUp == nil)
        } catch {
            if error.isRetriable, mayTryAgain { throw error }
            let reason = error.isRetriable ? queued.givenUp ?? error.reason : error.reason
            return results.append(PageResult(file: file, outcome: .quarantined(reason: reason)))
        }
        if let note = open.note { warn(of: note, about: file) }
        if open.frames.isEmpty, !open.isIncomplete {
            return try persist {
                try skip(file, because: "it has no plane of the channel and z-plane that are judged")
            }
        }
        let settled = try persist { try settledPages(of: stack, file) }
        if stack.presence.missing == nil, stack.presence.there.allSatisfy({ settled.contains($0.page) }) {
            // Written again, and nothing in it is new.
            return environment.statistics.add(\.known)
        }
        for point in stack.presence.there where !settled.contains(point.page) {
            environment.heartbeat.tick()
            let outcome: FrameRecord.Outcome
            do throws(FrameReadError) {
                outcome = try self.outcome(of: open, page: point.page, name: file.source.path, settings)
            } catch {
                stack.lacks(point, error)
                continue
            }
            results.append(stack.result(at: point, outcome))
            if stack.frames > 1, isDue(results, settings) { try finish(&results, settings) }
        }
        guard let missing = stack.presence.missing, !stack.isComing else { return }
        if missing.error.isRetriable, mayTryAgain { throw missing.error }
        // One line for all that never came.
        results.append(
            stack.result(at: missing.frame, .quarantined(reason: queued.givenUp ?? missing.error.reason))
        )
    }

    /// The pages of a file that need no judgement: those with an outcome, and those that held the same before the file grew
    /// or was written again.
    private func settledPages(of stack: FrameStack, _ file: FrameFile) throws -> Set<Int> {
        let known = try environment.ledger.knownPages(of: file.source)
        guard !known.isEmpty else { return [] }
        let kept = known.filter { page in
            guard !page.isCurrent else { return true }
            let isThere = page.digest != nil && stack.presence.there.contains { $0.page == page.page }
            return isThere && stack.open.digest(page: page.page) == page.digest
        }.map(\.page)
        if kept.count < known.count || known.contains(where: { !$0.isCurrent })
            || stack.presence.missing != nil
        {
            try environment.ledger.keep(kept, of: file.source, frames: stack.frames)
        }
        return Set(kept)
    }

    /// Judges one page; a bad page of a stack does not spoil the others.
    ///
    /// Throws what may be mended by another try.
    private func outcome(
        of open: any OpenFrames,
        page: Int,
        name: String,
        _ settings: Settings
    ) throws(FrameReadError) -> FrameRecord.Outcome {
        do {
            return judge(try open.frame(page: page), name: name, settings)
        } catch {
            guard !error.isRetriable else { throw error }
            return .quarantined(reason: error.reason)
        }
    }

    /// A failure of the judge becomes a result of the frame it fails on.
    private func judge(_ frame: Frame, name: String, _ settings: Settings) -> FrameRecord.Outcome {
        warn(of: frame, settings)
        do {
            var judgement = try settings.judge.judge(frame, threshold: settings.threshold)
            // Only a faulty frame's are written.
            if judgement.verdict != .faulty { judgement.pictures = nil }
            return judgement.isFinite
                ? .judged(judgement) : .quarantined(reason: "its grey values are too large to be judged")
        } catch {
            environment.logger.error(
                "A frame could not be judged",
                metadata: ["file": "\(name)", "reason": "\(error)"]
            )
            return .quarantined(reason: "the model failed on it: \(error)")
        }
    }

    /// A faulty frame is written at once, so that no thread holds the pictures of more than one.
    private func isDue(_ results: [PageResult], _ settings: Settings) -> Bool {
        results.count >= settings.batchFrames || results.last?.hasPictures == true
    }

    func finish(_ results: inout [PageResult], _ settings: Settings) throws {
        guard !results.isEmpty else { return }
        environment.heartbeat.tick()
        try environment.reached(.judged)
        var report = BatchReport(results: results, settings: settings, environment: environment)
        results = []
        try persist { try report.carryOut() }
    }

    /// Once for each folder and kind of file.
    private func warn(of note: String, about file: FrameFile) {
        let folder = file.path.lastIndex(of: "/").map { String(file.path[..<$0]) } ?? ""
        guard shared.warned.withLock({ $0.insert("\(folder)\n\(note)").inserted }) else { return }
        environment.logger.warning(
            "Files have several channels or z-planes, and none was chosen",
            metadata: ["file": "\(file.path)", "reason": "\(note)"]
        )
    }

    private func warn(of frame: Frame, _ settings: Settings) {
        guard let warning = settings.judge.warning(for: frame),
            shared.warned.withLock({ $0.insert(warning).inserted })
        else { return }
        environment.logger.warning(
            "The model was calibrated on other frames",
            metadata: ["reason": "\(warning)"]
        )
    }

    /// Repeats something until the output takes it, loudly.
    private func persist<Value>(_ body: () throws -> Value) throws -> Value {
        var delay = Self.firstDelay
        while true {
            do {
                return try body()
            } catch  where Self.mayHeal(error) {
                environment.logger.error(
                    "The output cannot be written; frames wait and are caught up",
                    metadata: ["reason": "\(error)", "retry_after": "\(delay)"]
                )
            }
            environment.heartbeat.tick()
            guard environment.pause(delay) else { throw Abandoned() }
            delay = min(delay * 2, Self.longestDelay)
        }
    }

    private static func mayHeal(_ error: any Error) -> Bool {
        error is OutputError || (error as? LedgerError)?.isRetriable == true
    }

    /// Notes in the ledger what is left for the next start, which finds it with or without that.
    func leave(_ frames: [QueuedFrame], because reason: String) {
        let now = environment.now()
        let pending = frames.map {
            PendingFrame(source: $0.file.source, frame: $0.file.frame, reason: reason, since: now)
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
            try environment.ledger.record([], alarms: [alarm])
        } catch {
            environment.logger.error("A stalled well could not be logged", metadata: ["reason": "\(error)"])
        }
        environment.journal.report(alarm)
    }
}
