import Acquisition
import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Synchronization
import Testing

@testable import Monitoring

@Suite(.timeLimit(.minutes(20)))
struct MonitorTests {
    /// A monitor with doubles for everything but the disk.
    private struct Stage {
        let feed = ScriptedFeed()
        let manager = FakeServiceManager()
        let journal = Recorder<JournalRecord>()
        let bench: Bench
        /// One element for each batch that the ledger has.
        let batches = AsyncStream<Void>.makeStream()
        private let reloads: AsyncStream<Int32>.Continuation
        private let reloadRequests: AsyncStream<Int32>

        init(_ bench: Bench) {
            self.bench = bench
            (reloadRequests, reloads) = AsyncStream.makeStream()
        }

        func configuration(_ change: (inout ConfigurationSettings) -> Void = { _ in }) throws -> Configuration
        {
            var settings = ConfigurationSettings()
            settings.model = "/model"
            settings.output = bench.tree.root
            settings.watch = [bench.input.path]
            change(&settings)
            return try Configuration(settings)
        }

        func monitor(
            _ configuration: Configuration,
            judge: any FrameJudge = FakeJudge(),
            reload: Monitor.Reload? = nil
        ) -> Monitor {
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let (feed, manager, journal, requests) = (feed, manager, journal, reloadRequests)
            let recorded = batches.continuation
            return Monitor(configuration: configuration, judge: judge, logger: logger, reload: reload) { _ in
                Monitor.Parts(
                    feed: { _ in feed },
                    reader: FakeReader(),
                    writeMask: Bench.writeMask,
                    journal: JournalReporter { record in
                        journal.add(record)
                        return true
                    },
                    notifier: manager,
                    reloadRequests: requests,
                    stopRequests: AsyncStream { $0.finish() },
                    now: { Timestamp(nanoseconds: 1_795_341_602_000_000_000) },
                    reached: { step in if step == .recorded { recorded.yield() } }
                )
            }
        }

        /// Waits until the ledger has another batch.
        func recorded() async {
            for await _ in batches.stream { return }
        }

        /// Waits until a daemon takes events from here.
        func asked() async {
            for await _ in feed.asked.stream { return }
        }

        func requestReload() { reloads.yield(1) }

        /// Waits until the service manager is told this.
        func told(_ message: String) async {
            for await told in manager.messages where told.hasPrefix(message) { return }
        }
    }

    @Test func judgesWhatLiesThereAndReturns() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            for index in 0..<10 {
                for well in ["B1", "C2"] {
                    let grey = well == "B1" && index > 6 ? "200" : "\(10 + index)"
                    stage.feed.say(
                        .frame(try bench.file("01_\(well)_f\(index).tif", grey, well: well, frame: index))
                    )
                }
            }
            stage.feed.say(.skipped(path: "notes.txt", reason: "not a frame's name"))
            stage.feed.say(
                .abandoned(try bench.file("01_C2_f10.tif", "x", well: "C2", frame: 10), reason: "it is cut")
            )
            stage.feed.say(.listed(20))
            let summary = try await stage.monitor(stage.configuration()).run(until: .listedAndDrained)
            #expect(summary.counts.seen == 21)
            #expect(summary.counts.judged == 20)
            #expect(summary.counts.flagged == 3)
            #expect(summary.counts.quarantined == 1)
            #expect(summary.counts.skipped == 1)
            #expect(
                summary.medianLatency.map { $0 >= .milliseconds(900) && $0 < .milliseconds(1300) } == true
            )
            #expect(try bench.events() == ["FAULT 7", "FAULT 8", "ONSET 8", "FAULT 9"])
            #expect(try bench.events(well: "C2") == ["UNREADABLE 10"])
            #expect(try bench.ledger().counts() == [.judged: 20, .quarantined: 1, .skipped: 1])

            // The next start knows it all.
            let next = Stage(bench)
            next.feed.say(.frame(try bench.describe("01_B1_f9.tif", frame: 9)))
            next.feed.say(.listed(1))
            let again = try await next.monitor(next.configuration()).run(until: .listedAndDrained)
            #expect((again.counts.known, again.counts.judged) == (1, 0))
        }
    }

    @Test func stoppingFinishesTheQueueAndTellsTheManagerInOrder() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            let begun = AsyncStream<Void>.makeStream()
            let gate = DispatchSemaphore(value: 0)
            let judge = FakeJudge { _ in
                begun.continuation.yield()
                gate.wait()
            }
            let configuration = try stage.configuration {
                $0.batchFrames = 1
                $0.threads = 1
            }
            let monitor = stage.monitor(configuration, judge: judge)
            async let summary = monitor.run()
            stage.feed.say(.listed(0))
            await stage.told("READY")
            for index in 0..<5 {
                stage.feed.say(.frame(try bench.file("01_B1_f\(index).tif", "200", frame: index)))
            }
            // One frame is out, so the others wait, here or in the feed.
            for await _ in begun.stream { break }
            #expect(try bench.events().isEmpty)
            await monitor.stop()
            await stage.told("STOPPING")
            for _ in 0..<5 { gate.signal() }
            let scored = try await summary.counts.judged
            #expect((1...5).contains(scored))
            #expect(try bench.ledger().counts() == [.judged: scored])
            let kinds = stage.manager.all.compactMap { $0.split(separator: " ").first.map(String.init) }
            #expect(Set(kinds.prefix { $0 != "STOPPING" }).isSuperset(of: ["READY", "STATUS", "WATCHDOG"]))
            // The watchdog is fed, and the status renewed, until the queue is empty; their order says nothing.
            let afterwards = kinds.drop { $0 != "STOPPING" }.filter { $0 != "WATCHDOG" && $0 != "STATUS" }
            #expect(afterwards == ["STOPPING"])
        }
    }

    @Test func aStopThatTakesTooLongLeavesTheRestForTheNextStart() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            let begun = AsyncStream<Void>.makeStream()
            let gate = DispatchSemaphore(value: 0)
            let judge = FakeJudge { _ in
                begun.continuation.yield()
                gate.wait()
            }
            let configuration = try stage.configuration {
                $0.stopTimeout = .zero
                $0.batchFrames = 1
            }
            let monitor = stage.monitor(configuration, judge: judge)
            async let summary = monitor.run()
            for index in 0..<3 {
                stage.feed.say(.frame(try bench.file("01_B1_f\(index).tif", "10", frame: index)))
            }
            stage.feed.say(.listed(3))
            for await _ in begun.stream { break }
            await monitor.stop()
            await stage.told("STOPPING")
            // The judge is let go only when nothing waits behind it any more.
            Task.detached {
                for _ in 0..<3 { gate.signal() }
            }
            #expect(try await summary.counts.judged >= 1)
            let next = Stage(bench)
            for index in 0..<3 {
                next.feed.say(.frame(try bench.describe("01_B1_f\(index).tif", frame: index)))
            }
            next.feed.say(.listed(3))
            _ = try await next.monitor(next.configuration()).run(until: .listedAndDrained)
            #expect(try bench.ledger().counts() == [.judged: 3])
            #expect(try bench.ledger().pending().isEmpty)
        }
    }

    @Test func aReloadTakesTheNewFiguresAndKeepsTheOldWhenTheyAreWrong() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            let answers = Mutex<[Result<Configuration, ConfigurationError>]>([
                .failure(ConfigurationError(problem: "it is wrong", remedy: "mend it")),
                .success(
                    try stage.configuration {
                        $0.threshold = .severity(0)
                        $0.model = "/newmodel"
                        // Files go on to be read as at the start.
                        $0.pattern = "{run}/{well}_{frame}.tif"
                    }
                ),
            ])
            let answer = Answers(answers: answers)
            let monitor = stage.monitor(try stage.configuration { $0.batchFrames = 1 }) {
                (try answer.next().get(), FakeJudge(model: "newmodel0000"))
            }
            async let summary = monitor.run()
            stage.feed.say(.listed(0))
            await stage.told("READY")
            for index in 1...2 {
                stage.requestReload()
                await stage.told("READY")
                stage.feed.say(.frame(try bench.file("01_B1_f\(index).tif", "10", frame: index)))
                await stage.recorded()
            }
            await monitor.stop()
            _ = try await summary
            #expect(try bench.rows().map(\.model) == ["3f9ac2d41b7e", "newmodel0000"])
            #expect(try bench.events() == ["FAULT 2"])
            let sessions = try bench.ledger().sessions()
            #expect(sessions.map(\.modelPath) == ["/model", "/newmodel"])
            #expect(sessions.allSatisfy { $0.pattern == Configuration.table.pattern.standard })
        }
    }

    private final class Answers: Sendable {
        private let answers: Mutex<[Result<Configuration, ConfigurationError>]>
        init(answers: consuming sending Mutex<[Result<Configuration, ConfigurationError>]>) {
            self.answers = answers
        }
        func next() -> Result<Configuration, ConfigurationError> { answers.withLock { $0.removeFirst() } }
    }

    @Test func aFeedThatEndsByItselfIsAFailureAfterTheQueueIsDone() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            stage.feed.say(.frame(try bench.file("01_B1_f1.tif", "200", frame: 1)))
            stage.feed.say(.listed(1))
            stage.feed.stop()
            await #expect(throws: (any Error).self) {
                try await stage.monitor(stage.configuration()).run()
            }
            #expect(try bench.events() == ["FAULT 1"])
        }
    }

    @Test func aStartWaitsForItsOutputAndSaysSo() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            // A plain file where the output's folder is to be, as before a share is mounted.
            try FileManager.default.removeItem(atPath: bench.tree.root)
            try Data("in the way".utf8).write(to: URL(filePath: bench.tree.root))
            let monitor = stage.monitor(try stage.configuration())
            stage.feed.say(.frame(try bench.file("01_B1_f1.tif", "200", frame: 1)))
            stage.feed.say(.listed(1))
            async let summary = monitor.run()
            await stage.told("READY")
            await stage.told("STATUS cannot go on: Cannot ")
            await stage.told("WATCHDOG")
            try FileManager.default.removeItem(atPath: bench.tree.root)
            await stage.recorded()
            #expect(try bench.events() == ["FAULT 1"])
            await monitor.stop()
            #expect(try await summary.counts.judged == 1)
            // What lies there to be judged is no reason to wait for ever.
            let other = stage.monitor(
                try stage.configuration {
                    $0.output = bench.folder.appending(path: "in/01_B1_f1.tif/out").path
                    $0.outputInsideWatch = true
                }
            )
            await #expect(throws: OutputError.self) { try await other.run(until: .listedAndDrained) }
        }
    }

    @Test func aStartThatWaitsEndsAtOnce() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            try FileManager.default.removeItem(atPath: bench.tree.root)
            try Data("in the way".utf8).write(to: URL(filePath: bench.tree.root))
            let monitor = stage.monitor(try stage.configuration())
            async let summary = monitor.run()
            await stage.told("STATUS cannot go on")
            await monitor.stop()
            #expect(try await summary.counts.seen == 0)
            #expect(stage.manager.all.last == "STOPPING")
        }
    }

    @Test func aLedgerThatIsTakenAwayIsOpenedAnewAndItsFramesJudgedAgain() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            let monitor = stage.monitor(try stage.configuration())
            let files = try (0..<2).map { try bench.file("01_B1_f\($0).tif", "10", frame: $0) }
            async let summary = monitor.run()
            await stage.asked()
            stage.feed.say(.frame(files[0]))
            await stage.recorded()
            for ending in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: bench.tree.ledger + ending)
            }
            stage.feed.say(.frame(files[1]))
            await stage.asked()
            for file in files { stage.feed.say(.frame(file)) }
            stage.feed.say(.listed(2))
            await stage.told("READY")
            await stage.recorded()
            await monitor.stop()
            #expect(try await summary.counts.judged >= 2)
            #expect(try bench.rows().isEmpty == false)
            let told = stage.manager.all.count { $0 == "STOPPING" }
            #expect(told == 1, "the service manager is told of the wanted end only")
        }
    }

    @Test func twoDaemonsDoNotShareAnOutput() async throws {
        try await Bench.with { bench in
            let lock = try OutputLock(tree: bench.tree)
            let stage = Stage(bench)
            let error = await #expect(throws: OutputError.self) {
                try await stage.monitor(stage.configuration()).run()
            }
            #expect(error?.description.contains("another autoqc") == true)
            withExtendedLifetime(lock) {}
        }
    }

    @Test func moreFramesThanMayWaitDoNotDelayReadiness() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            let gate = DispatchSemaphore(value: 0)
            let judge = FakeJudge { _ in gate.wait() }
            let monitor = stage.monitor(try stage.configuration { $0.queueNames = 100 }, judge: judge)
            for index in 0..<300 {
                stage.feed.say(.frame(try bench.file("01_B1_f\(index).tif", "10", frame: index)))
            }
            async let summary = monitor.run(until: .listedAndDrained)
            await stage.told("READY")
            for _ in 0..<300 { gate.signal() }
            stage.feed.say(.listed(300))
            #expect(try await summary.counts.judged == 300)
        }
    }
}
