import Foundation
import Frames
import Ledger
import Plate
import Testing

@testable import Acquisition
@testable import Monitoring

/// Specks that come into view while the daemon runs, and while it does not.
struct ArrivalTests {
    /// Sees a speck that looks like a fault in every frame that is not exactly 10.
    private struct SpeckJudge: FrameJudge {
        let judge = FakeJudge(hasTerm: true)
        var model: String { judge.model }

        func detail(of frame: Frame) -> FrameDetail? {
            let isSpeck = frame[0, 0] != 10
            let values = (0..<40 * 40).map {
                UInt8(isSpeck && 18...22 ~= $0 / 40 && 18...22 ~= $0 % 40 ? 40 : 3)
            }
            return FrameDetail(rows: 40, columns: 40, values: values)
        }

        func judge(_ frame: Frame, threshold: Double?, patches: PatchSelection) throws -> Judgement {
            var judgement = try judge.judge(frame, threshold: threshold, patches: patches)
            judgement.detail = detail(of: frame)
            judgement.detail?.tiles = .init(side: 32, columns: 5, faultLogits: .init(repeating: 5, count: 25))
            return judgement
        }
    }

    private static let settings = FramePipeline.Settings(judge: SpeckJudge())
    private static let onset =
        "weak but lasting: 3 frames in a row are unlike the well's frames before them; something new is at x=82 y=82"

    /// Some frames, with a speck from number 14 to 17.
    private func files(_ bench: Bench) throws -> [FrameFile] {
        try (0..<24).map { number in
            try bench.file("01_B1_f\(number).tif", 14...17 ~= number ? "10.001" : "10", frame: number)
        }
    }

    @Test(arguments: [1, 2, 3, 5, 24]) func aSpeckIsToldAndClearedWhereverTheDaemonIsStarted(frames: Int)
        async throws
    {
        try await Bench.with { bench in
            let files = try files(bench)
            for start in stride(from: 0, to: files.count, by: frames) {
                // A new pipeline each time remembers nothing.
                let batch = Array(files[start..<min(start + frames, files.count)])
                #expect(try bench.pipeline(settings: Self.settings).process(batch.queued) == nil)
            }
            #expect(try bench.events() == ["ONSET 16", "CLEAR 20"])
            #expect(try bench.alarms().first?.reason == Self.onset)
        }
    }

    @Test func aPipelineThatRemembersTellsTheSame() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline(settings: Self.settings)
            for file in try files(bench) { #expect(try pipeline.process([file].queued) == nil) }
            #expect(try bench.events() == ["ONSET 16", "CLEAR 20"])
        }
    }

    /// A file that is gone is no reason to stop; what is known of the well's other figures goes on.
    @Test func withoutTheEarlierFilesTheWellIsJudgedAllTheSame() async throws {
        try await Bench.with { bench in
            let files = try files(bench)
            #expect(try bench.pipeline(settings: Self.settings).process(Array(files[..<14]).queued) == nil)
            for file in files[..<14] { try FileManager.default.removeItem(atPath: file.path) }
            #expect(try bench.pipeline(settings: Self.settings).process(Array(files[14...]).queued) == nil)
            #expect(try bench.events().isEmpty)
            #expect(try bench.ledger().counts() == [.judged: 24])
        }
    }
}
