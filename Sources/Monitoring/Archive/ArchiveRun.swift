package import Acquisition
import Files
import Foundation
import Frames
import Ledger
package import Logging
package import Plate
package import Reporting
import Synchronization
import Tensors

/// Judges the frames of an archive into an output folder, one well after another on each thread, and ends.
///
/// What lies in the folder afterwards is what the daemon would have written, but for what follows from how the wells of a plate
/// stand together. What is in the ledger already is passed over. Each well's frames are judged in order of time, and no well
/// depends on another: any division of the wells gives the same verdicts.
package final class ArchiveRun: Sendable {
    /// With what and how frames are judged.
    package struct Settings: Sendable {
        /// The model.
        package let judge: any FrameJudge
        /// Its file.
        package let modelPath: String
        /// How names are read, as it was given.
        package let pattern: FramePattern
        /// Which channel and z-plane are judged.
        package let choice: PlaneChoice
        /// Wells that are judged at once.
        package let threads: Int

        /// Gathers them.
        package init(
            judge: any FrameJudge,
            modelPath: String,
            pattern: FramePattern,
            choice: PlaneChoice,
            threads: Int
        ) {
            (self.judge, self.modelPath, self.pattern) = (judge, modelPath, pattern)
            (self.choice, self.threads) = (choice, threads)
        }
    }

    /// What was done.
    package struct Summary: Sendable {
        /// Frames by what became of them, in this run.
        package let counts: FrameCounts
        /// Files that could not be reached; they have no row, and the next run takes them up.
        package let unreached: [String]
        /// Whether it was stopped before all was judged.
        package let isStopped: Bool
    }

    /// The folder holds verdicts that these would not fit to.
    package struct OtherVerdicts: Error, CustomStringConvertible {
        /// What is there, and what to do.
        package let description: String
    }

    /// Files that could not be reached are tried again so often, when all others are done.
    private static let attempts = 2
    private static let batchFrames = 4
    private static let stackSize = 16 << 20

    private let tree: OutputTree
    private let settings: Settings
    private let logger: Logger
    private let isStopping: @Sendable () -> Bool
    private let unreached = Mutex<[FrameFile]>([])

    /// Prepares a run; `isStopping` is asked between two frames.
    package init(
        _ tree: OutputTree,
        _ settings: Settings,
        logger: Logger,
        isStopping: @escaping @Sendable () -> Bool
    ) {
        (self.tree, self.settings, self.logger, self.isStopping) = (tree, settings, logger, isStopping)
    }

    /// Judges what a listing has; `report` hears how many frames are done, from any thread.
    ///
    /// Throws `OtherVerdicts`, an output that cannot be used, and a ledger's error that does not pass.
    package func judge(
        _ listing: ArchiveListing,
        report: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws -> Summary {
        try checkEarlierVerdicts()
        let output = try OpenOutput(
            tree: tree,
            session: DaemonSession(
                started: .now,
                model: settings.judge.model,
                modelPath: settings.modelPath,
                precision: settings.judge.precisionName,
                pattern: settings.pattern.description,
                folders: listing.folders
            )
        )
        defer { output.close(at: .now) }
        let statistics = Statistics()
        try recordSkipped(listing, in: output.ledger, statistics)
        let pipeline = pipeline(output.ledger, statistics)
        let listed = Timestamp.now
        var wells: [[FrameFile]] = listing.wells.map { frames in
            frames.map { FrameFile(source: $0.source, frame: $0.frame, completed: listed, found: .listed) }
        }
        for _ in 0..<Self.attempts where !wells.isEmpty && !isStopping() {
            unreached.withLock { $0 = [] }
            try judge(wells, pipeline, report)
            let again = unreached.withLock {
                Dictionary(grouping: $0) { "\($0.frame.run)\n\($0.frame.well)" }
            }
            wells = again.values.map { $0.sorted { $0.frame < $1.frame } }
        }
        let left = wells.flatMap { $0 }
        pipeline.leave(left.map { QueuedFrame(file: $0) }, because: "it could not be reached")
        return Summary(
            counts: statistics.summary.counts,
            unreached: left.map { $0.path },
            isStopped: isStopping()
        )
    }

    /// Frames of one well are compared with each other, so one model judges all of them.
    private func checkEarlierVerdicts() throws {
        guard FileManager.default.fileExists(atPath: tree.ledger) else { return }
        let ledger = try FrameLedger(reading: tree.ledger)
        defer { try? ledger.close() }
        let (model, precision) = (settings.judge.model, settings.judge.precisionName)
        guard
            let other = try ledger.sessions().last(where: { $0.model != model || $0.precision != precision })
        else { return }
        throw OtherVerdicts(
            description:
                "\(tree.root): has verdicts of model \(other.model) in \(other.precision), and these would be of "
                + "\(model) in \(precision); name another folder, or that model and --precision"
        )
    }

    private func recordSkipped(
        _ listing: ArchiveListing,
        in ledger: FrameLedger,
        _ statistics: Statistics
    ) throws {
        try ledger.record(
            listing.refused.map { path, reason in
                FrameRecord(
                    source: FrameSource(root: "", path: path),
                    outcome: .skipped(reason: reason),
                    judged: .now
                )
            }
        )
        statistics.add(\.skipped, listing.refused.count)
    }

    private func pipeline(_ ledger: FrameLedger, _ statistics: Statistics) -> FramePipeline {
        FramePipeline(
            environment: FramePipeline.Environment(
                ledger: ledger,
                tree: tree,
                answers: AdviceLog(tree),
                sidecars: Sidecars(tree: tree, writeMask: Sidecars.writeTIFF),
                journal: JournalReporter { _ in true },
                reader: TIFFFrameReader(limits: TIFFLimits(), choice: settings.choice),
                statistics: statistics,
                heartbeat: Heartbeat(name: "judging"),
                obstacles: Obstacles(logger: logger),
                logger: logger,
                now: { .now },
                lookAgain: { [self] file in unreached.withLock { $0.append(file) } },
                canWrite: { [tree] in (try? tree.probe()) != nil },
                pause: { [isStopping] in Self.pause($0, isStopping) },
                isAbandoned: isStopping,
                crashes: CrashNotes(tree, logger)
            ),
            settings: FramePipeline.Settings(
                judge: settings.judge,
                batchFrames: Self.batchFrames,
                isLive: false,
                // Nobody writes these files any more.
                readAttempts: 1,
                namesByFrame: settings.pattern.hasFolders
            )
        )
    }

    /// Waits; `false` where the run is to stop.
    private static func pause(_ time: Duration, _ isStopping: () -> Bool) -> Bool {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end, !isStopping() { usleep(50_000) }
        return !isStopping()
    }

    private func judge(
        _ wells: [[FrameFile]],
        _ pipeline: FramePipeline,
        _ report: @escaping @Sendable (Int) -> Void
    ) throws {
        let next = Atomic(0)
        let done = Atomic(0)
        let failure = Mutex<(any Error)?>(nil)
        let ended = DispatchGroup()
        for number in 1...max(min(settings.threads, wells.count), 1) {
            ended.enter()
            let thread = Thread { [self] in
                defer { ended.leave() }
                do {
                    let pipeline = pipeline.with(
                        heartbeat: Heartbeat(name: "judging \(number)"),
                        thread: number
                    )
                    while !isStopping(), failure.withLock({ $0 == nil }) {
                        let index = next.add(1, ordering: .relaxed).oldValue
                        guard index < wells.count else { return }
                        try judge(wells[index], pipeline) { frames in
                            report(done.add(frames, ordering: .relaxed).newValue)
                        }
                    }
                } catch is FramePipeline.Abandoned {
                    return
                } catch {
                    failure.withLock { $0 = $0 ?? error }
                }
            }
            thread.stackSize = Self.stackSize
            thread.start()
        }
        ended.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func judge(_ well: [FrameFile], _ pipeline: FramePipeline, report: (Int) -> Void) throws {
        var waiting = well.map { QueuedFrame(file: $0, isFromStart: true) }[...]
        while !waiting.isEmpty, !isStopping() {
            let batch = Array(waiting.prefix(Self.batchFrames))
            waiting = waiting.dropFirst(batch.count)
            let retry = try pipeline.process(batch)
            if let retry {
                waiting = retry.frames + waiting
                _ = Self.pause(retry.delay, isStopping)
            }
            report(batch.count - (retry?.frames.count ?? 0))
        }
    }
}
