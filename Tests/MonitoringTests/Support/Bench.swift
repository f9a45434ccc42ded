import Foundation
import Ledger
import Logging
import Plate
import Reporting
import TestSupport
import Testing

@testable import Acquisition
@testable import Monitoring

/// A watched folder and an output folder on disk, and pipelines that work on them.
struct Bench: Sendable {
    let folder: URL
    let journal = Recorder<JournalRecord>()
    let pauses = Recorder<Duration>()

    var input: URL { folder.appending(path: "in") }
    var tree: OutputTree { OutputTree(root: folder.appending(path: "out").path) }

    static func with(_ body: (Bench) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let bench = Bench(folder: folder)
            try FileManager.default.createDirectory(at: bench.input, withIntermediateDirectories: true)
            try bench.tree.prepare()
            try await body(bench)
        }
    }

    /// Writes a file of frames, one grey value each, and describes it as the watcher would.
    func file(
        _ name: String,
        _ greys: String...,
        run: String = "01",
        well: String = "B1",
        frame: Int
    ) throws -> FrameFile {
        try file(name, greys: greys, run: run, well: well, frame: frame)
    }

    func file(
        _ name: String,
        greys: [String],
        run: String = "01",
        well: String = "B1",
        frame: Int = 0
    ) throws -> FrameFile {
        let url = input.appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(greys.joined(separator: "\n").utf8).write(to: url)
        return try describe(name, run: run, well: well, frame: frame)
    }

    func describe(_ name: String, run: String = "01", well: String = "B1", frame: Int) throws -> FrameFile {
        let url = input.appending(path: name)
        let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
        let inode = try #require(attributes[.systemFileNumber] as? NSNumber)
        let size = try #require(attributes[.size] as? NSNumber)
        let modified = try #require(attributes[.modificationDate] as? Date)
        return FrameFile(
            source: FrameSource(
                root: input.path,
                path: name,
                identity: FileIdentity(
                    inode: inode.uint64Value,
                    size: size.int64Value,
                    modified: Timestamp(nanoseconds: Int64(modified.timeIntervalSince1970 * 1e9))
                )
            ),
            frame: FrameID(run: run, well: try #require(Well(well)), index: frame),
            completed: Timestamp(nanoseconds: 1_795_341_601_000_000_000),
            found: .closed
        )
    }

    /// A pipeline as a fresh start would make it, with a ledger of its own on the same file.
    func pipeline(
        settings: FramePipeline.Settings = FramePipeline.Settings(judge: FakeJudge()),
        reader: any FrameReading = FakeReader(),
        writeMask: Sidecars.MaskWriter? = nil,
        now: Timestamp = Timestamp(nanoseconds: 1_795_341_601_123_000_000),
        canWrite: @escaping @Sendable () -> Bool = { true },
        pause: @escaping @Sendable () -> Bool = { true },
        crashes: CrashNotes? = nil,
        reached: @escaping @Sendable (PipelineStep) throws -> Void = { _ in }
    ) throws -> FramePipeline {
        try tree.prepare()
        let (journal, pauses) = (journal, pauses)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return FramePipeline(
            environment: FramePipeline.Environment(
                ledger: try FrameLedger(path: tree.ledger),
                tree: tree,
                answers: AdviceLog(tree),
                sidecars: Sidecars(tree: tree, writeMask: writeMask ?? Bench.writeMask),
                journal: JournalReporter { record in
                    journal.add(record)
                    return true
                },
                reader: reader,
                statistics: Statistics(),
                heartbeat: Heartbeat(name: "judging"),
                obstacles: Obstacles(logger: logger),
                logger: logger,
                now: { now },
                canWrite: canWrite,
                pause: { time in
                    pauses.add(time)
                    return pause()
                },
                crashes: crashes,
                reached: reached
            ),
            settings: settings
        )
    }

    /// Judges what a queue holds, as the daemon does with one thread, until it is closed or abandoned.
    func judge(_ queue: FrameQueue, settings: FramePipeline.Settings) async throws {
        var pipeline = try pipeline(settings: settings)
        pipeline.environment.isAbandoned = { queue.isAbandoned }
        try await JudgingService(
            queue: queue,
            pipeline: pipeline,
            stalls: stalls(),
            crew: JudgingCrew(),
            threads: 1,
            logger: Logger(label: "test"),
            stopTimeout: { .zero },
            finished: {}
        ).judge()
    }

    /// Watches for stalls over the ledger of this bench.
    func stalls(at time: Timestamp = Timestamp(nanoseconds: 1_795_341_602_000_000_000)) throws
        -> StallReporter
    {
        StallReporter(ledger: try FrameLedger(path: tree.ledger)) { time }
    }

    static let writeMask: Sidecars.MaskWriter = { mask, _, path in
        try Data(mask.values).write(to: URL(filePath: path))
    }

    func ledger() throws -> FrameLedger { try FrameLedger(reading: tree.ledger) }

    /// The alarms of a well's log; every line must be one.
    func alarms(well: String = "B1") throws -> [Alarm] {
        let path = tree.alarmLog(run: "01", well: try #require(Well(well)))
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        return try lines.map { try #require(AlarmLine.parse($0), "\($0)") }
    }

    /// `FAULT 3` and the like, in the order of the log.
    func events(well: String = "B1") throws -> [String] {
        try alarms(well: well).map { "\($0.event.rawValue) \($0.frame.index)" }
    }

    func masks() throws -> [String] { try names(in: tree.masks(run: "01")) }

    func scores() throws -> [String] { try names(in: tree.scores(run: "01")) }

    private func names(in path: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    func rows() throws -> [FrameRecord] {
        var rows: [FrameRecord] = []
        try ledger().forEach { rows.append($0) }
        return rows
    }
}

extension FramePipeline {
    /// Judges a batch as often as frames of it come back without a delay, as those of a movie do.
    func processToEnd(_ batch: [QueuedFrame]) throws {
        var frames = batch
        while let retry = try process(frames), retry.delay == .zero { frames = retry.frames }
    }
}

extension [FrameFile] {
    /// The files as the queue hands them out.
    var queued: [QueuedFrame] { map { QueuedFrame(file: $0) } }
}
