import Acquisition
import Foundation
import Ledger
import Plate
import Reporting
import Testing

@testable import Monitoring

/// The pipeline is stopped dead between any two effects and started anew on the same output folder.
struct CrashTests {
    private struct Crash: Error {}

    private static let greys = ["10", "200", "210", "bad", "10", "220", "10", "10", "10", "200", "200", "10"]

    /// Crashes once, at the given one of all steps; `false` where there are not so many.
    private func runUntilCrash(
        _ bench: Bench,
        at crash: Int,
        files: [FrameFile],
        batch: Int,
        settings: FramePipeline.Settings = FramePipeline.Settings(judge: FakeJudge())
    ) throws -> Bool {
        let steps = Recorder<PipelineStep>()
        let pipeline = try bench.pipeline(
            settings: settings,
            reached: { step in
                steps.add(step)
                if steps.all.count == crash { throw Crash() }
            }
        )
        do {
            try run(pipeline, files: files, batch: batch)
            return false
        } catch is Crash {
            return true
        }
    }

    private func run(_ pipeline: FramePipeline, files: [FrameFile], batch: Int) throws {
        for start in stride(from: 0, to: files.count, by: batch) {
            _ = try pipeline.process(Array(files[start..<min(start + batch, files.count)]).queued)
        }
    }

    @Test(arguments: [(4, 4), (4, 3), (3, 12)])
    func nothingIsLostOrDoubled(batch: Int, batchAfter: Int) async throws {
        let expected = [
            "FAULT 1", "FAULT 2", "ONSET 2", "UNREADABLE 3", "FAULT 5", "CLEAR 8", "FAULT 9", "FAULT 10",
            "ONSET 10",
        ]
        var crash = 0
        var crashed = true
        while crashed {
            crash += 1
            try await Bench.with { bench in
                let files = try Self.greys.enumerated().map {
                    try bench.file("01_B1_f\($0).tif", $1, frame: $0)
                }
                crashed = try runUntilCrash(bench, at: crash, files: files, batch: batch)
                try run(bench.pipeline(), files: files, batch: batchAfter)
                #expect(try bench.events() == expected, "crash at step \(crash)")
                #expect(try bench.masks().filter { $0.hasSuffix(".tiff") }.count == 5)
                #expect(try bench.masks().count == 10)
                #expect(try bench.rows().map(\.frame?.index) == Array(0..<12))
                #expect(try bench.rows().count { $0.state == .quarantined } == 1)
                let quarantine = try String(
                    contentsOfFile: bench.tree.quarantineLog(run: "01"),
                    encoding: .utf8
                )
                #expect(quarantine.split(separator: "\n").count == 1)
                let told = bench.journal.all.compactMap { $0.fields["AUTOQC_EVENT"] }
                #expect(Set(told) == ["ONSET", "CLEAR", "UNREADABLE"])
                #expect(told.count >= 4)
            }
        }
        #expect(crash > 15, "there were \(crash - 1) steps to crash at")
    }

    /// A well that turns faulty by single frames, becomes normal, has a weak fault that takes long to show, and one at once.
    private static let story =
        ["10", "10", "200", "10", "210", "bad", "220"] + calm(30) + Array(repeating: "10.997", count: 58)
        + calm(4)
        + ["300", "10", "300", "300"]

    private static func calm(_ frames: Int) -> [String] { Array(repeating: "10", count: frames) }

    /// What the logs and the ledger say of a bench's well, word by word.
    private func told(_ bench: Bench) throws -> [String] {
        let well = try #require(Well("B1"))
        let log = try String(contentsOfFile: bench.tree.alarmLog(run: "01", well: well), encoding: .utf8)
        let ledger = try bench.ledger().alarms(run: "01").map(AlarmLine.format)
        let rows = try bench.rows().map { "\($0.frame?.index ?? -1) \($0.judgement?.wellIsFaulty as Any)" }
        return log.split(separator: "\n").map(String.init) + ledger + rows
    }

    /// The story in batches, with a crash at a step and the rest in other batches; whether it came to the crash.
    private func tell(
        batch: Int,
        batchAfter: Int,
        crash: Int = .max
    ) async throws -> (story: [String], crashed: Bool) {
        var result: (story: [String], crashed: Bool) = ([], false)
        try await Bench.with { bench in
            let files = try Self.story.enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            let settings = FramePipeline.Settings(judge: FakeJudge(hasTerm: true), batchFrames: 64)
            let crashed = try runUntilCrash(bench, at: crash, files: files, batch: batch, settings: settings)
            let after = try bench.pipeline(settings: settings)
            try after.catchUp()
            try run(after, files: files, batch: batchAfter)
            result = (try told(bench), crashed)
        }
        return result
    }

    @Test(arguments: [(1, 4), (4, 3), (4, 64), (64, 5)])
    func theStoryIsTheSameAfterACrashAtAnyStep(batch: Int, batchAfter: Int) async throws {
        let undisturbed = try await tell(batch: 4, batchAfter: 4).story
        let onsets = undisturbed.filter { $0.contains("event=ONSET") }
        #expect(
            onsets.contains { $0.contains("verdict=normal") && $0.contains("first_faulty=37 last_good=36") }
        )
        var crash = 1
        while true {
            let (story, crashed) = try await tell(batch: batch, batchAfter: batchAfter, crash: crash)
            #expect(story == undisturbed, "crash at step \(crash)")
            guard crashed, story == undisturbed else { break }
            // A stride that comes to every kind of step.
            crash += 11
        }
    }

    @Test func repeatedCrashesDoNotAddUp() async throws {
        try await Bench.with { bench in
            let files = try Self.greys.enumerated().map { try bench.file("01_B1_f\($0).tif", $1, frame: $0) }
            for crash in 1...12 { _ = try runUntilCrash(bench, at: crash, files: files, batch: 4) }
            try run(bench.pipeline(), files: files, batch: 4)
            #expect(
                try bench.events() == [
                    "FAULT 1", "FAULT 2", "ONSET 2", "UNREADABLE 3", "FAULT 5", "CLEAR 8", "FAULT 9",
                    "FAULT 10",
                    "ONSET 10",
                ]
            )
            #expect(try bench.rows().count == 12)
        }
    }

    @Test func aTransitionIsNotSaidTwiceWhenFramesComeInAnotherOrder() async throws {
        try await Bench.with { bench in
            let files = try ["200", "200", "200"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            // Frames 1 and 2 came first and were announced; the crash came before the ledger knew of the second.
            let steps = Recorder<PipelineStep>()
            let pipeline = try bench.pipeline(reached: { step in
                steps.add(step)
                if steps.all.count(where: { $0 == .journalTold }) == 2 { throw Crash() }
            })
            #expect(throws: Crash.self) { try pipeline.process(Array(files[1...]).queued) }
            #expect(try bench.events() == ["FAULT 1", "FAULT 2", "ONSET 2"])
            // Now frame 0 is there as well, and was faulty before them.
            _ = try bench.pipeline().process(files.queued)
            #expect(try bench.events() == ["FAULT 1", "FAULT 2", "ONSET 2", "FAULT 0"])
        }
    }
}
