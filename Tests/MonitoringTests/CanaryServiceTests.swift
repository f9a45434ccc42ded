import Acquisition
import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Rules
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Monitoring

@Suite(.timeLimit(.minutes(20)))
struct CanaryServiceTests {
    /// The canary over a bench, with a clock of its own and live frames that come and go at the test's word.
    private final class Stage: Sendable {
        let bench: Bench
        let pipeline: FramePipeline
        let isQuiet = Mutex(true)
        /// Whether the faults can be seen.
        let isVisible = Mutex(true)
        let clock: Mutex<Int64>
        /// One element for each time that the canary asks whether it may go on.
        let questions = AsyncStream<Void>.makeStream()
        /// Events as the journal hears them.
        let events = AsyncStream<String>.makeStream()
        let judged = Recorder<Float>()

        init(_ bench: Bench, at seconds: Int64 = 1_795_341_602) throws {
            self.bench = bench
            pipeline = try bench.pipeline()
            clock = Mutex(seconds * 1_000_000_000)
        }

        func addFrames(_ range: Range<Int>) throws {
            for index in range {
                let file = try bench.file("01_B1_f\(index).tif", "\(10 + index)", frame: index)
                #expect(try pipeline.process([QueuedFrame(file: file)]) == nil)
            }
        }

        func service(every: Duration, frames: Int = 3) -> CanaryService {
            var settings = ConfigurationSettings()
            settings.canaryEvery = every
            settings.canaryFrames = frames
            let (judged, questions) = (judged, questions.continuation)
            return CanaryService(
                environment,
                settings: CanarySettings(settings),
                faultyCopy: { frame, _, _ in
                    var copy = frame
                    if self.isVisible.withLock({ $0 }) { copy[0, 0] = 200 }
                    return copy
                },
                judging: { FramePipeline.Settings(judge: FakeJudge { judged.add($0) }) },
                isQuiet: {
                    defer { questions.yield() }
                    return self.isQuiet.withLock { $0 }
                }
            )
        }

        private var environment: FramePipeline.Environment {
            let events = events.continuation
            var environment = pipeline.environment
            environment.journal = JournalReporter { record in
                events.yield(record.fields["AUTOQC_EVENT"] ?? "")
                return true
            }
            environment.now = { Timestamp(nanoseconds: self.clock.withLock { $0 }) }
            return environment
        }

        func pass(_ seconds: Int64) { clock.withLock { $0 += seconds * 1_000_000_000 } }

        /// Runs the canary beside a body, and stops it.
        func with(_ service: CanaryService, _ body: () async throws -> Void) async throws {
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [service],
                    logger: pipeline.environment.logger
                )
            )
            async let running: Void = group.run()
            try await body()
            await group.triggerGracefulShutdown()
            try await running
        }

        /// Waits for the next event.
        func told() async -> String? {
            for await event in events.stream { return event }
            return nil
        }
    }

    @Test func aRoundLeavesALineAndFiguresAndNothingInTheRun() async throws {
        try await Bench.with { bench in
            let stage = try Stage(bench)
            try stage.addFrames(0..<4)
            let (rows, files) = (try bench.rows(), try Self.files(bench))
            let service = stage.service(every: .seconds(3600))
            #expect(service.figures == nil)
            try await stage.with(service) { #expect(await stage.told() == "ROUND") }
            let figures = try #require(service.figures)
            #expect((figures.round.found, figures.round.copies, figures.alarm) == (15, 15, nil))
            #expect(figures.words == "canary 15 of 15")
            #expect(try bench.rows() == rows)
            #expect(try Self.files(bench).subtracting(files) == ["canary.log"])
            #expect(try bench.events().isEmpty && bench.journal.all.isEmpty)
            #expect(stage.pipeline.environment.statistics.summary.counts.judged == 4)
        }
    }

    /// Everything in the output but what SQLite keeps for itself.
    private static func files(_ bench: Bench) throws -> Set<String> {
        let files =
            FileManager.default.enumerator(atPath: bench.tree.root)?.compactMap { $0 as? String } ?? []
        return Set(files.filter { !$0.hasPrefix("ledger.sqlite") })
    }

    @Test func liveFramesGoFirst() async throws {
        try await Bench.with { bench in
            let stage = try Stage(bench)
            try stage.addFrames(0..<4)
            stage.isQuiet.withLock { $0 = false }
            try await stage.with(stage.service(every: .seconds(3600))) {
                var asked = 0
                for await _ in stage.questions.stream {
                    asked += 1
                    if asked == 4 { break }
                }
                #expect(stage.judged.all.isEmpty, "nothing was judged while frames waited")
                stage.isQuiet.withLock { $0 = true }
                #expect(await stage.told() == "ROUND")
            }
            #expect(stage.judged.all.count == 18)
        }
    }

    @Test func theEndOfTheDaemonDoesNotWaitForARound() async throws {
        try await Bench.with { bench in
            let stage = try Stage(bench)
            try stage.addFrames(0..<4)
            stage.isQuiet.withLock { $0 = false }
            try await stage.with(stage.service(every: .seconds(3600))) {
                for await _ in stage.questions.stream { break }
            }
            #expect(stage.judged.all.isEmpty)
            #expect(try CanaryLog(tree: bench.tree).events.isEmpty)
        }
    }

    @Test func aBlindDetectorIsAnAlarmThatOutlivesTheDaemonAndIsTakenBack() async throws {
        try await Bench.with { bench in
            let stage = try Stage(bench)
            try stage.addFrames(0..<4)
            stage.isVisible.withLock { $0 = false }
            let blind = stage.service(every: .seconds(60))
            try await stage.with(blind) {
                #expect(await stage.told() == "ROUND")
                #expect(await stage.told() == "CANARY")
            }
            #expect(blind.figures?.alarm?.contains("found 0 of 15") == true)
            #expect(blind.figures?.words == "CANARY 0 of 15")
            // The next start knows of it, and two good rounds end it.
            let next = try Stage(bench, at: 1_795_341_702)
            try next.addFrames(4..<5)
            let service = next.service(every: .seconds(60))
            try await next.with(service) {
                #expect(await next.told() == "ROUND")
                try next.addFrames(5..<6)
                next.pass(60)
                service.set(CanarySettings.every(.seconds(60), frames: 3))
                #expect(await next.told() == "ROUND")
                #expect(await next.told() == "CANARY-CLEAR")
            }
            #expect(service.figures?.alarm == nil)
        }
    }

    @Test func theNextRoundIsDueOneIntervalAfterTheLastOneOfAnyStart() {
        let last = Timestamp(nanoseconds: 1_795_341_602_000_000_000)
        func left(_ seconds: Int64) -> Duration {
            let now = Timestamp(nanoseconds: last.nanoseconds + seconds * 1_000_000_000)
            return CanaryService.timeLeft(of: .seconds(3600), after: last, now: now)
        }
        #expect(left(600) == .seconds(3000))
        #expect(left(3600) == .zero && left(100_000) == .zero)
        #expect(left(-5) == .zero, "the clock was set back")
        #expect(CanaryService.timeLeft(of: .seconds(3600), after: nil, now: last) == .zero)
    }

    @Test func itIsOffAtZeroAndAReloadSwitchesItOn() async throws {
        try await Bench.with { bench in
            let stage = try Stage(bench)
            try stage.addFrames(0..<4)
            let service = stage.service(every: .zero)
            try await stage.with(service) {
                #expect(!FileManager.default.fileExists(atPath: bench.tree.canaryLog))
                service.set(CanarySettings.every(.seconds(60), frames: 2))
                #expect(await stage.told() == "ROUND")
            }
            #expect(service.figures?.round.copies == 10)
            service.set(CanarySettings.every(.zero, frames: 2))
            #expect(service.figures == nil)
        }
    }
}

extension CanarySettings {
    fileprivate static func every(_ time: Duration, frames: Int) -> CanarySettings {
        var settings = ConfigurationSettings()
        settings.canaryEvery = time
        settings.canaryFrames = frames
        return CanarySettings(settings)
    }
}
