import Foundation
import Ledger
import Plate
import Reporting
import Rules
import Testing

@testable import Monitoring

/// What the faulty wells of a plate have in common is one alarm.
struct PlateAlarmTests {
    private let column = ["A3", "B3", "C3", "D3"]
    private let others = ["A4", "B4", "C4", "D4", "A5", "B5", "C5", "D5"]

    private func judge(
        _ wells: [String],
        _ grey: String,
        frame: Int,
        _ bench: Bench,
        hysteresis: StateHysteresis.Rule = .init(onset: 1, window: 1)
    ) throws {
        let settings = FramePipeline.Settings(judge: FakeJudge(), hysteresis: hysteresis)
        let pipeline = try bench.pipeline(settings: settings)
        for well in wells {
            let file = try bench.file("01_\(well)_f\(frame).tif", grey, well: well, frame: frame)
            _ = try pipeline.process([file].queued)
        }
    }

    private func said(_ bench: Bench) throws -> [String] {
        try bench.ledger().alarms(run: "01", events: [.plate, .plateClear])
            .map { "\($0.event.rawValue) \($0.pattern ?? "")" }
    }

    @Test func faultyWellsOfOneColumnAreOneAlarm() async throws {
        try await Bench.with { bench in
            try judge(column + others, "10", frame: 0, bench)
            #expect(try said(bench).isEmpty)
            try judge(column, "200", frame: 1, bench)
            #expect(try said(bench) == ["PLATE column-03"])
            let sentence = try bench.ledger().plateAlarms(run: "01").first?.reason
            #expect(sentence?.hasPrefix("3 of its 4 wells are faulty (A03 B03 C03)") == true)
            try judge(others, "200", frame: 1, bench)
            #expect(try said(bench).last == "PLATE all-wells")
            // Once the plate's alarm stands, the journal does not hear of each well.
            #expect(bench.journal.all.count { $0.fields["AUTOQC_EVENT"] == "ONSET" } == 8)
            try judge(column + others, "10", frame: 2, bench)
            #expect(try said(bench).contains("PLATE-CLEAR all-wells"))
            let events = try said(bench)
            #expect(events.count { $0.hasPrefix("PLATE ") } == events.count { $0.hasPrefix("PLATE-CLEAR ") })
            let log = try String(contentsOfFile: bench.tree.plateLog(run: "01"), encoding: .utf8)
            #expect(
                log.split(separator: "\n").compactMap { AlarmLine.parse($0)?.pattern }.first == "column-03"
            )
        }
    }

    @Test func wellsThatRecoverOneAfterAnotherFromAGlareAreNoPattern() async throws {
        try await Bench.with { bench in
            func judge(_ grey: String, frame: Int) throws {
                try self.judge(column + others, grey, frame: frame, bench, hysteresis: .init())
            }
            for frame in 0..<3 { try judge("\(10 + frame)", frame: frame) }
            for frame in 3..<5 { try judge("\(200 + frame)", frame: frame) }
            let glare = try said(bench)
            #expect(glare.last == "PLATE all-wells")
            // Their frames pass at once, and their CLEARs follow one after another.
            for frame in 5..<10 { try judge("\(10 + frame)", frame: frame) }
            #expect(try said(bench).dropFirst(glare.count) == ["PLATE-CLEAR all-wells"])
            #expect(try bench.ledger().standings(of: "01").values.allSatisfy { !$0.isFaultyNow })
            #expect(try bench.ledger().alarms(run: "01", events: [.clear]).count == 12)
        }
    }

    @Test func patternsThatEndOnOneFrameEndEachForItself() async throws {
        try await Bench.with { bench in
            // A row and a column that have a well in common.
            let wells = [
                "A1", "A2", "A3", "A4", "B1", "C1", "D1", "B2", "B3", "B4", "C2", "C3", "C4", "D2", "D3",
                "D4",
            ]
            try judge(wells, "10", frame: 0, bench)
            try judge(["A2", "A3", "B1", "C1", "A1"], "200", frame: 1, bench)
            #expect(try said(bench).sorted() == ["PLATE column-01", "PLATE row-A"])
            try judge(["A1"], "10", frame: 2, bench)
            #expect(try said(bench).dropFirst(2).sorted() == ["PLATE-CLEAR column-01", "PLATE-CLEAR row-A"])
            #expect(try bench.ledger().plateAlarms(run: "01").isEmpty)
            let told = try bench.ledger().events(after: 0).filter { $0.event.kind == .plateClear }
            #expect(told.count == 2)
        }
    }

    @Test func aCrashBeforeThePlatesAlarmIsMadeUpFor() async throws {
        struct Crash: Error {}
        try await Bench.with { bench in
            try judge(column + others, "10", frame: 0, bench)
            try judge(Array(column[..<2]), "200", frame: 1, bench)
            let settings = FramePipeline.Settings(
                judge: FakeJudge(),
                hysteresis: .init(onset: 1, window: 1)
            )
            let pipeline = try bench.pipeline(
                settings: settings,
                reached: { step in
                    if step == .recorded { throw Crash() }
                }
            )
            let file = try bench.file("01_C3_f1.tif", "200", well: "C3", frame: 1)
            #expect(throws: Crash.self) { try pipeline.process([file].queued) }
            #expect(try said(bench).isEmpty)
            for _ in 0..<2 {
                try bench.pipeline(settings: settings).catchUp()
                #expect(try said(bench) == ["PLATE column-03"])
            }
            #expect(try bench.ledger().plateAlarms(run: "01").first?.frame.index == 1)
        }
    }

    @Test func aStageThatMovesIsOneAlarmAndNoneOfAFaultyPlate() async throws {
        try await Bench.with { bench in
            for frame in 0..<20 { try judge(column + others, "\(20 + frame % 3)", frame: frame, bench) }
            for frame in 20..<22 { try judge(column + others, "60", frame: frame, bench) }
            #expect(try said(bench).last == "PLATE all-wells")
            let alarms = try bench.ledger().plateAlarms(run: "01")
            #expect(alarms.last?.reason?.hasPrefix("9 of its 12 wells have shifted (") == true)
            let told = bench.journal.all.count { $0.fields["AUTOQC_EVENT"] == "SHIFT" }
            #expect((3...9).contains(told), "the journal does not hear of each well: \(told)")
            #expect(try bench.ledger().alarms(run: "01", events: [.shift]).count == 12)
            #expect(try bench.ledger().advice().isEmpty, "the wells are not faulty")
        }
    }
}
