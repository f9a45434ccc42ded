import Foundation
import Frames
import Ledger
import Logging
import Plate
import Reporting
import TestSupport
import Testing

@testable import Acquisition
@testable import Monitoring

/// Measures what grows with the plate and its past; `AUTOQC_SCALE=FRAMES swift test --filter ScaleTests` prints it.
///
/// No part of the ordinary tests: a million files take minutes to make.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["AUTOQC_SCALE"] != nil,
        "set AUTOQC_SCALE to a number of frames"
    )
)
struct ScaleTests {
    private let frames = Int(ProcessInfo.processInfo.environment["AUTOQC_SCALE"] ?? "") ?? 1000
    private let clock = ContinuousClock()

    /// Start to READY over a folder of frames that the ledger knows, and from there to the verdict on a new one.
    @Test(.timeLimit(.minutes(60)), arguments: [64, 384])
    func startOverAPast(wells: Int) async throws {
        try await Bench.with { bench in
            try fill(bench, wells: wells)
            let manager = FakeServiceManager()
            let judged = AsyncStream<Void>.makeStream()
            let monitor = try monitor(bench, manager) { judged.continuation.yield() }
            let start = clock.now
            async let summary = monitor.run()
            for await told in manager.messages where told == "READY" { break }
            report("READY with \(frames) known frames of \(wells) wells", clock.now - start)
            for index in 0..<20 {
                let begun = clock.now
                try TIFFWriter.write(
                    Frame(height: 4, width: 4, pixels: [Float](repeating: 10, count: 16)),
                    to: bench.input.appending(path: "02_A1_f\(index).tif").path
                )
                for await _ in judged.stream { break }
                if index % 10 == 9 {
                    report("close to ledger, frame \(index) after READY", clock.now - begun)
                }
            }
            await monitor.stop()
            let counts = try await summary.counts
            #expect((counts.known, counts.judged) == (frames, 20))
        }
    }

    /// The queue's own work per frame, while so many frames of so many wells wait.
    @Test(arguments: [(64, 64), (384, 384), (1, 100_000), (384, 100_000)])
    func queueWork(wells: Int, waiting: Int) throws {
        var queue = WellQueue(batchFrames: 4, capacity: .max)
        let names = try (0..<wells).map { try #require(Well(row: $0 / 24, column: $0 % 24 + 1)) }
        let frame = { (number: Int) in
            QueuedFrame(
                file: file(
                    FrameID(run: "01", well: names[number % wells], index: number / wells),
                    "01_f\(number).tif",
                    root: "/in"
                )
            )
        }
        for number in 0..<waiting { queue.add(frame(number)) }
        let rounds = 20_000
        let time = clock.measure {
            var done = 0
            while done < rounds {
                guard case .batch(let batch) = queue.next(now: .now) else { return }
                queue.finish(batch, now: .now)
                for _ in batch.frames {
                    queue.add(frame(waiting + done))
                    done += 1
                }
            }
        }
        report("queue with \(waiting) frames of \(wells) wells, per frame", time / rounds)
    }

    private func report(_ what: String, _ time: Duration) {
        defer { fflush(nil) }
        print("scale: \(what): \(time.formatted(.units(allowed: [.seconds, .milliseconds, .microseconds])))")
    }

    private func file(_ frame: FrameID, _ name: String, root: String, identity: FileIdentity? = nil)
        -> FrameFile
    {
        FrameFile(
            source: FrameSource(
                root: root,
                path: name,
                identity: identity
                    ?? FileIdentity(inode: 1, size: 1, modified: Timestamp(nanoseconds: 0))
            ),
            frame: frame,
            completed: Timestamp(nanoseconds: 0),
            found: .closed
        )
    }

    /// Empty files, all in one folder, and a row for each.
    private func fill(_ bench: Bench, wells: Int) throws {
        let ledger = try FrameLedger(path: bench.tree.ledger)
        var judgement = Judgement(
            verdict: .normal,
            severity: 1,
            threshold: 2,
            scores: ImageScores(maximum: 1, mean: 1, patch: 1),
            score: 1,
            area: 0,
            boundingBox: nil
        )
        judgement.wellIsFaulty = false
        let outcome = FrameRecord.Outcome.judged(judgement)
        for start in stride(from: 0, to: frames, by: 10_000) {
            try ledger.record(
                (start..<min(start + 10_000, frames)).map { number in
                    let well = try #require(Well(row: number % wells / 24, column: number % wells % 24 + 1))
                    let name = "01_\(well)_f\(number / wells).tif"
                    let path = bench.input.appending(path: name).path
                    #expect(FileManager.default.createFile(atPath: path, contents: nil))
                    return FrameRecord(
                        source: FrameSource(
                            root: bench.input.path,
                            path: name,
                            identity: try FileSystemIdentity.of(path)
                        ),
                        frame: FrameID(run: "01", well: well, index: number / wells),
                        outcome: outcome,
                        model: "3f9ac2d41b7e",
                        completed: nil,
                        judged: Timestamp(nanoseconds: 0)
                    )
                }
            )
        }
        try ledger.close()
    }

    private func monitor(
        _ bench: Bench,
        _ manager: FakeServiceManager,
        judged: @escaping @Sendable () -> Void
    ) throws -> Monitor {
        var settings = ConfigurationSettings()
        settings.model = "/model"
        settings.output = bench.tree.root
        settings.watch = [bench.input.path]
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Monitor(
            configuration: try Configuration(settings),
            judge: FakeJudge(),
            logger: logger,
            reload: nil
        ) { configuration in
            Monitor.Parts(
                feed: { FolderFeed(configuration, ledger: $0) },
                reader: TIFFFrameReader(limits: configuration.limits),
                writeMask: Bench.writeMask,
                journal: JournalReporter { _ in true },
                notifier: manager,
                reloadRequests: AsyncStream { _ in },
                stopRequests: AsyncStream { $0.finish() },
                now: { .now },
                reached: { step in if step == .recorded { judged() } }
            )
        }
    }
}

/// What the watcher sees of a file.
private enum FileSystemIdentity {
    static func of(_ path: String) throws -> FileIdentity {
        var status = stat()
        try #require(unsafe lstat(path, &status) == 0)
        return FileIdentity(
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            modified: Timestamp(
                nanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
            )
        )
    }
}
