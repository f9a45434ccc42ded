import Foundation
import Ledger
import Plate
import Reporting
import Rules
import Testing

@testable import Monitoring

/// What the microscope is advised to do, and how its answers come back.
struct AdviceTests {
    private let wells = ["A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4"]
    private let settings = FramePipeline.Settings(judge: FakeJudge(), hysteresis: .init(onset: 1, window: 1))

    private func judge(_ wells: some Sequence<String>, _ grey: String, frame: Int, _ bench: Bench) throws {
        let pipeline = try bench.pipeline(settings: settings)
        for well in wells {
            let file = try bench.file("01_\(well)_f\(frame).tif", grey, well: well, frame: frame)
            _ = try pipeline.process([file].queued)
        }
    }

    /// What a daemon that has just started finds at a moment; each look is one of another start.
    private func look(_ bench: Bench, after time: Duration = .zero, expires: Duration = .seconds(3600)) throws
    {
        let now = Timestamp(nanoseconds: 1_795_341_601_123_000_000 + time.wholeNanoseconds)
        AdviceKeeper(try bench.pipeline(now: now).environment, expires: expires).keep()
    }

    private func file(_ advice: Advice, _ bench: Bench) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: bench.tree.advice(run: "01", id: advice.id)))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func reply(_ text: String, to advice: Advice, _ bench: Bench) throws -> URL {
        let url = URL(filePath: bench.tree.adviceReply(run: "01", id: advice.id))
        try Data(text.utf8).write(to: url)
        return url
    }

    /// Half of the plate turns faulty.
    private func stop(_ bench: Bench) throws -> Advice {
        try judge(wells, "10", frame: 0, bench)
        try judge(wells[..<4], "200", frame: 1, bench)
        let advice = try bench.ledger().advice()
        #expect(advice.map(\.action) == [.stop] && advice.first?.state == .pending)
        return try #require(advice.first)
    }

    @Test func halfAPlateIsAdviceThatIsOverWhenItsWellsAreNormal() async throws {
        try await Bench.with { bench in
            let advice = try stop(bench)
            try look(bench)
            #expect(try file(advice, bench)["reason"] as? String == "4 of 8 wells are faulty")
            try judge(wells[..<4], "210", frame: 2, bench)
            #expect(try bench.ledger().advice() == [advice], "it is given once")
            try judge(wells[..<4], "10", frame: 3, bench)
            try look(bench)
            #expect(try file(advice, bench)["state"] as? String == "expired")
            #expect(try bench.ledger().advice(.standing).isEmpty)
            try judge(wells[..<4], "220", frame: 4, bench)
            let again = try bench.ledger().advice(.open)
            #expect(again.count == 1 && again.first?.id != advice.id)
        }
    }

    @Test func anAnswerByFileIsTakenOnceAndOverRestarts() async throws {
        try await Bench.with { bench in
            let advice = try stop(bench)
            try look(bench)
            let first = try reply("{\"state\":\"acknowledged\",\"by\":\"scope\"}", to: advice, bench)
            try look(bench)
            #expect(!FileManager.default.fileExists(atPath: first.path))
            #expect(try file(advice, bench)["by"] as? String == "scope")
            let second = try reply("{\"state\":\"acknowledged\",\"by\":\"other\"}", to: advice, bench)
            try look(bench)
            #expect(!FileManager.default.fileExists(atPath: second.path))
            #expect(try file(advice, bench)["by"] as? String == "scope")
            _ = try reply("{\"state\":\"done\",\"by\":\"scope\",\"note\":\"stopped\"}", to: advice, bench)
            try look(bench)
            let shown = try file(advice, bench)
            #expect(shown["state"] as? String == "done" && shown["note"] as? String == "stopped")
            let kept = try bench.ledger().advice()
            #expect(kept.map(\.state) == [.done] && kept.first?.id == advice.id)
            // The plate is still faulty: nobody is asked again.
            try judge(wells[..<5], "210", frame: 2, bench)
            #expect(try bench.ledger().advice(.open).isEmpty)
        }
    }

    @Test func anAnswerOfThePageBeforeTheFirstLookIsInTheFile() async throws {
        try await Bench.with { bench in
            let advice = try stop(bench)
            #expect(try file(advice, bench)["state"] as? String == "pending", "the file is there at once")
            let answer = Advice.Answer(.refused, by: "Ada", note: "it is a test", at: advice.since)
            _ = try AdviceLog(bench.tree).answer(advice, answer)
            try look(bench)
            #expect(try file(advice, bench)["note"] as? String == "it is a test")
        }
    }

    @Test func whatIsNoReplyIsLeftUntilItIsOldAndThenRemoved() async throws {
        try await Bench.with { bench in
            let advice = try stop(bench)
            try look(bench)
            let url = try reply("{\"state\":\"ackn", to: advice, bench)
            let written = Timestamp(nanoseconds: 1_795_341_601_000_000_000)
            let date = Date(timeIntervalSince1970: Double(written.nanoseconds) / 1e9)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: url.path)
            try look(bench)
            #expect(FileManager.default.fileExists(atPath: url.path), "it may still be written")
            try look(bench, after: .seconds(10))
            #expect(!FileManager.default.fileExists(atPath: url.path))
            #expect(try bench.ledger().advice().map(\.state) == [.pending])
        }
    }

    @Test func adviceThatNobodyCarriesOutExpires() async throws {
        try await Bench.with { bench in
            let advice = try stop(bench)
            _ = try AdviceLog(bench.tree).answer(advice, .init(.acknowledged, by: "scope", at: advice.since))
            try look(bench, after: .seconds(599), expires: .seconds(600))
            #expect(try bench.ledger().advice().map(\.state) == [.acknowledged])
            try look(bench, after: .seconds(600), expires: .seconds(600))
            let expired = try #require(try bench.ledger().advice().first)
            #expect(expired.state == .expired && expired.answer?.by == "autoqc")
            #expect(try file(advice, bench)["note"] as? String == "nobody carried it out within 600 s")
        }
    }

    @Test func aCrashAtAnyStepGivesAdviceOnce() async throws {
        struct Crash: Error {}
        for step in PipelineStep.allCases {
            try await Bench.with { bench in
                try judge(wells, "10", frame: 0, bench)
                try judge(wells[..<3], "200", frame: 1, bench)
                let file = try bench.file("01_A4_f1.tif", "200", well: "A4", frame: 1)
                let crashing = try bench.pipeline(
                    settings: settings,
                    reached: { if $0 == step { throw Crash() } }
                )
                _ = try? crashing.process([file].queued)
                for _ in 0..<2 {
                    let next = try bench.pipeline(settings: settings)
                    try next.catchUp()
                    _ = try next.process([file].queued)
                }
                let advice = try bench.ledger().advice()
                #expect(advice.map(\.action) == [.stop], "crash at \(step)")
                let told = try bench.ledger().events(after: 0).map(\.event.kind)
                #expect(told.count { $0 == .stopAdvised } == 1, "crash at \(step)")
            }
        }
    }

    @Test func answersThatCannotBeReadKeepNoFrameFromBeingJudged() async throws {
        try await Bench.with { bench in
            let advice = try stop(bench)
            let log = bench.tree.adviceAnswers
            try FileManager.default.removeItem(atPath: log)
            try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: false)
            try judge(wells[..<4], "10", frame: 2, bench)
            #expect(try bench.rows().count == 16)
            try look(bench)
            #expect(try bench.ledger().advice(.open).map(\.isOver) == [true])
            try FileManager.default.removeItem(atPath: log)
            try look(bench)
            #expect(try file(advice, bench)["note"] as? String == "its reason is gone")
        }
    }

    @Test func aWellThatStaysFaultyIsToBeSkipped() async throws {
        try await Bench.with { bench in
            try judge(wells, "10", frame: 0, bench)
            for frame in 1..<11 { try judge(["A1"], "\(200 + frame)", frame: frame, bench) }
            #expect(try bench.ledger().advice().isEmpty)
            for frame in 11..<14 { try judge(["A1"], "\(200 + frame)", frame: frame, bench) }
            let advice = try bench.ledger().advice()
            #expect(advice.map(\.action) == [.skipWell])
            #expect(advice.first?.wells.map(\.description) == ["A01"] && advice.first?.frame == 11)
        }
    }
}
