import Foundation
import Ledger
import Plate
import Reporting
import Rules
import Testing

@testable import Monitoring

/// What the ledger hands to those who tell people.
struct EventTests {
    private let settings = FramePipeline.Settings(judge: FakeJudge(), hysteresis: .init(onset: 2, window: 2))

    private func events(_ bench: Bench) throws -> [Event] {
        try bench.ledger().events(after: 0).map(\.event)
    }

    /// `ONSET B01 2` and the like.
    private func told(_ bench: Bench) throws -> [String] {
        try events(bench).map { event in
            [event.kind.rawValue, event.run ?? "", event.well?.description ?? ""].filter { !$0.isEmpty }
                .joined(separator: " ")
        }
    }

    private static let greys = ["10", "200", "210", "bad", "220", "10", "10", "10", "200", "10"]

    @Test func turnsAreEventsAndSingleFaultsAreNot() async throws {
        try await Bench.with { bench in
            let files = try Self.greys.enumerated().map { try bench.file("01_B1_f\($0).tif", $1, frame: $0) }
            _ = try bench.pipeline(settings: settings).process(files.queued)
            #expect(try told(bench) == ["ONSET 01 B01", "CLEAR 01 B01"])
            let onset = try #require(try events(bench).first)
            #expect(
                onset.message
                    == "Well B01 of run 01 turned faulty at frame 2: cause unknown, severity 4.2 (limit 2)"
            )
            let data = try JSONSerialization.jsonObject(with: Data(onset.data.utf8)) as? [String: Any]
            #expect(data?["id"] as? String == onset.id)
            #expect(data?["frame"] as? Int == 2 && data?["first_faulty"] as? Int == 1)
            #expect(data?["severity"] as? Double == 4.2 && data?["threshold"] as? Double == 2)
            #expect(data?["advice"] is String && data?["message"] as? String == onset.message)
        }
    }

    @Test func aCrashAtAnyStepLosesAndDoublesNone() async throws {
        struct Crash: Error {}
        var ids: [String] = []
        for crash in 0..<40 {
            try await Bench.with { bench in
                let files = try Self.greys.enumerated().map {
                    try bench.file("01_B1_f\($0).tif", $1, frame: $0)
                }
                let steps = Recorder<PipelineStep>()
                let pipeline = try bench.pipeline(
                    settings: settings,
                    reached: { step in
                        steps.add(step)
                        if steps.all.count == crash { throw Crash() }
                    }
                )
                do { _ = try pipeline.process(files.queued) } catch is Crash {}
                _ = try bench.pipeline(settings: settings).process(files.queued)
                #expect(try told(bench) == ["ONSET 01 B01", "CLEAR 01 B01"], "crash at step \(crash)")
                let found = try events(bench).map(\.id)
                if ids.isEmpty { ids = found }
                #expect(found == ids, "crash at step \(crash)")
            }
        }
    }

    @Test func anAlarmOfThePlateSpeaksForItsWellsAndEveryOnsetHasItsEnd() async throws {
        try await Bench.with { bench in
            let wells = ["A3", "B3", "C3", "D3", "A4", "B4", "C4", "D4"]
            let settings = FramePipeline.Settings(
                judge: FakeJudge(),
                hysteresis: .init(onset: 1, window: 1)
            )
            for (frame, grey) in ["10", "200", "10"].enumerated() {
                for well in wells {
                    let file = try bench.file("01_\(well)_f\(frame).tif", grey, well: well, frame: frame)
                    _ = try bench.pipeline(settings: settings).process([file].queued)
                }
            }
            let events = try events(bench)
            func affected(_ kind: Event.Kind) -> [Well] {
                events.filter { $0.kind == kind }.compactMap(\.well)
            }
            #expect(affected(.onset).count < 8, "the plate's alarm speaks for the others")
            #expect(Set(affected(.clear)) == Set(affected(.onset)))
            #expect(events.count { $0.kind == .plate } == events.count { $0.kind == .plateClear })
            #expect(events.filter { $0.kind == .plate }.allSatisfy { $0.well == nil && $0.run == "01" })
            let advice = events.filter { $0.kind == .stopAdvised || $0.kind == .stopClear }
            #expect(advice.map(\.kind) == [.stopAdvised, .stopClear])
            #expect(advice[0].message == "Run 01 had better be stopped: 4 of 8 wells are faulty")
            #expect(Set(events.map(\.id)).count == events.count)
        }
    }

    @Test func judgingThatIsBehindAndADiskThatIsLowAreToldOnce() async throws {
        try await Bench.with { bench in
            let ledger = try FrameLedger(path: bench.tree.ledger)
            let readings = Recorder<(load: Load, free: Int)>()
            let start = ContinuousClock.now
            func reporter() -> ConditionReporter {
                ConditionReporter(
                    ledger: ledger,
                    load: { readings.all.last?.load ?? Load(threads: 1) },
                    freeBytes: { readings.all.last?.free },
                    now: { Timestamp(nanoseconds: Int64(readings.all.count)) },
                    started: start
                )
            }
            var byHalf = Load(threads: 1)
            byHalf.judged(1, in: .seconds(1))
            for second in [0, 2] { _ = byHalf.weigh(waiting: 100, now: start + .seconds(second)) }
            var behind = byHalf
            for second in [3, 8] { _ = behind.weigh(waiting: 100, now: start + .seconds(second)) }
            let calm = Load(threads: 1)
            let gibibyte = 1 << 30
            var second = 0
            func look(_ load: Load, _ free: Int, by reporter: ConditionReporter) {
                second += 100
                readings.add((load, free))
                reporter.report(now: start + .seconds(second))
            }
            let first = reporter()
            for _ in 0..<2 { look(calm, 5 * gibibyte, by: first) }
            // Frames judged by half are judged in time.
            look(byHalf, 5 * gibibyte, by: first)
            #expect(try told(bench).isEmpty)
            for _ in 0..<2 { look(behind, gibibyte, by: first) }
            #expect(try told(bench) == ["BEHIND", "DISK-LOW"])
            // A restart knows what was told.
            let next = reporter()
            look(behind, gibibyte, by: next)
            look(calm, 5 * gibibyte / 2, by: next)
            look(calm, 3 * gibibyte, by: next)
            look(calm, 5 * gibibyte / 2, by: next)
            #expect(try told(bench) == ["BEHIND", "DISK-LOW", "BEHIND-CLEAR", "DISK-CLEAR"])
            #expect(try events(bench).first?.message.hasPrefix("Judging is behind: 100 frames wait") == true)
        }
    }

    @Test func aStartAfterACrashSaysThatItRunsAgain() async throws {
        try await Bench.with { bench in
            func start() throws -> OpenOutput {
                try OpenOutput(
                    tree: bench.tree,
                    session: DaemonSession(
                        started: .now,
                        model: "m",
                        precision: "f32",
                        pattern: "p",
                        folders: []
                    )
                )
            }
            // Nothing to say of a first start, and of one after a stop.
            for _ in 0..<2 { try start().close(at: .now) }
            #expect(try told(bench).isEmpty)
            try start().tellFailure(OutputTroubleInTest(), at: .now)
            #expect(try told(bench) == ["FAILED"])
            for _ in 0..<2 { try start().close(at: .now) }
            #expect(try told(bench) == ["FAILED", "FAILED-CLEAR"])
            // A kill leaves a session without an end.
            _ = try start()
            for _ in 0..<2 { try start().close(at: .now) }
            #expect(try told(bench) == ["FAILED", "FAILED-CLEAR", "FAILED-CLEAR"])
        }
    }

    private struct OutputTroubleInTest: Error {}
}
