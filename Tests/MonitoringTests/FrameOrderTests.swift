import Ledger
import Plate
import Reporting
import Rules
import Testing

@testable import Monitoring

/// What the frames of a well say together.
struct FrameOrderTests {
    @Test func theSameImageAgainAndAgainIsAFaultOfTheCamera() async throws {
        try await Bench.with { bench in
            let greys = ["10", "20", "20", "20", "20", "20", "20", "10"]
            let files = try greys.enumerated().map { try bench.file("01_B1_f\($0).tif", $1, frame: $0) }
            let settings = FramePipeline.Settings(judge: FakeJudge(), frozenFrames: 5)
            for file in files { _ = try bench.pipeline(settings: settings).process([file].queued) }
            let faults = try bench.alarms().filter { $0.event == .fault }
            #expect(faults.map(\.frame.index) == [5, 6])
            #expect(
                faults.allSatisfy { $0.judgement?.cause.cause == .frozen && $0.judgement?.maskPath == nil }
            )
            let movie = try bench.file("01_C2_f0.tif", "7", "7", "7", "7", "7", "7", well: "C2", frame: 0)
            _ = try bench.pipeline().process([movie].queued)
            #expect(try bench.events(well: "C2").isEmpty)
        }
    }

    @Test func anOnsetNamesTheFirstFaultyAndTheLastGoodFrame() async throws {
        try await Bench.with { bench in
            let greys = ["10", "10", "200", "10", "200"]
            let files = try greys.enumerated().map { try bench.file("01_B1_f\($0).tif", $1, frame: 10 + $0) }
            for file in files { _ = try bench.pipeline().process([file].queued) }
            let onset = try #require(try bench.alarms().first { $0.event == .onset })
            #expect(onset.frame.index == 14)
            #expect(onset.beginning == Alarm.Beginning(firstFaulty: 12, lastGood: 11))
        }
    }

    @Test func aWellThatCreepsTowardsTheThresholdIsNamedOnce() async throws {
        try await Bench.with { bench in
            // Severity is a fiftieth of the grey; faulty above 2.
            let slow =
                [Int](repeating: 20, count: 40) + (0..<60).map { 20 + $0 } + [Int](repeating: 80, count: 60)
            let greys = slow.enumerated().map { $1 + $0 % 5 }
            let pipeline = try bench.pipeline()
            for (index, grey) in greys.enumerated() {
                _ = try pipeline.process([bench.file("01_B1_f\(index).tif", "\(grey)", frame: index)].queued)
            }
            let alarms = try bench.alarms()
            #expect(alarms.map(\.event) == [.drift])
            #expect(alarms[0].reason?.hasPrefix("severity rose from 0.44 to 1.2") == true)
            #expect(bench.journal.all.map { $0.fields["AUTOQC_EVENT"] } == ["DRIFT"])
        }
    }

    @Test func aWellThatChangesAtOnceIsNamedThoughItsFramesPass() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            for index in 0..<40 {
                let grey = (index < 30 ? 20 : 60) + index % 5
                _ = try pipeline.process([bench.file("01_B1_f\(index).tif", "\(grey)", frame: index)].queued)
            }
            let alarms = try bench.alarms()
            #expect(alarms.map(\.event) == [.shift] && alarms.map(\.frame.index) == [31])
            #expect(alarms[0].reason?.hasPrefix("looks unlike the 12 frames before it: ") == true)
            #expect(bench.journal.all.map { $0.fields["AUTOQC_EVENT"] } == ["SHIFT"])
            let changes = try bench.rows().map { row -> Double? in
                row.judgement?.change
            }
            #expect(changes.prefix(12).allSatisfy { $0 == nil })
            #expect(changes[12..<30].allSatisfy { $0.map { $0 < ChangeRule.limit } ?? false })
            #expect(changes[30...].allSatisfy { $0.map { $0 > ChangeRule.limit } ?? false })
        }
    }

    @Test func aFrameFromThePastIsReportedButDoesNotMoveTheWell() async throws {
        try await Bench.with { bench in
            let files = try ["200", "200", "200", "10", "10", "10", "200"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            let pipeline = try bench.pipeline()
            _ = try pipeline.process(files[3...5].map { $0 }.queued)
            _ = try pipeline.process(files[0...2].map { $0 }.queued, tier: .deferred)
            #expect(try bench.events() == ["FAULT 0", "FAULT 1", "FAULT 2"])
            #expect(try bench.alarms().map(\.judgement?.tier) == [.deferred, .deferred, .deferred])
            #expect(try bench.masks().filter { $0.hasSuffix(".tiff") }.count == 3)
            // The past does not count among the last frames: one faulty frame is no onset.
            _ = try pipeline.process([files[6]].queued)
            #expect(try bench.events() == ["FAULT 0", "FAULT 1", "FAULT 2", "FAULT 6"])
            let judgements = try bench.rows().compactMap(\.judgement)
            #expect(judgements.map(\.tier) == [.full, .full, .full, .deferred, .deferred, .deferred, .full])
            #expect(judgements.map(\.wellIsFaulty) == [false, false, false, nil, nil, nil, false])
            #expect(judgements.allSatisfy { $0.precision == "f32" })
            let counts = pipeline.environment.statistics.summary.counts
            #expect((counts.judged, counts.deferred) == (7, 3))
        }
    }

    @Test func aMicroscopeThatCountsAnewIsNotThePast() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            let old = try (7...9).map { try bench.file("a/01_B1_f\($0).tif", "10", frame: $0) }
            _ = try pipeline.process(old.queued)
            let new = try (0...1).map { try bench.file("b/01_B1_f\($0).tif", "200", frame: $0) }
            _ = try pipeline.process(new.queued)
            #expect(try bench.events() == ["FAULT 0", "FAULT 1", "ONSET 1"])
        }
    }
}
