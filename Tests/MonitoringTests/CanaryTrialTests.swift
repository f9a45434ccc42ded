import Acquisition
import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Rules
import TestSupport
import Testing

@testable import Monitoring

struct CanaryTrialTests {
    /// Faults that the double of a judge sees, but for those of one class.
    private static func tools(missing: Cause? = nil, seeds: Recorder<UInt64> = Recorder())
        -> CanaryTrial.Tools
    {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return CanaryTrial.Tools(
            reader: FakeReader(),
            faultyCopy: { frame, cause, seed in
                seeds.add(seed)
                // Of a frame without cells nobody can tell the focus.
                guard cause != .zShift || frame[0, 0] != 33 else { return nil }
                var copy = frame
                copy[0, 0] = cause == missing ? frame[0, 0] : 200
                return copy
            },
            logger: logger
        )
    }

    private static func frames(_ bench: Bench, _ wells: [(well: String, greys: [String])]) throws
        -> [LocatedFrame]
    {
        try wells.flatMap { well, greys in
            try greys.enumerated().map { index, grey in
                let file = try bench.file("01_\(well)_f\(index).tif", grey, well: well, frame: index)
                return LocatedFrame(source: file.source, frame: file.frame)
            }
        }
    }

    private static func round(
        _ frames: [LocatedFrame],
        wanted: Int,
        threshold: Double? = nil,
        tools: CanaryTrial.Tools = tools()
    ) -> CanaryRound? {
        var trial = CanaryTrial(
            frames,
            wanted: wanted,
            judge: FakeJudge(),
            threshold: threshold,
            tools: tools
        )
        while !trial.isDone { trial.step() }
        return trial.round(at: Timestamp(nanoseconds: 1))
    }

    @Test func everyClassIsPutOnACopyOfEveryFrameAndTheMissesAreCounted() async throws {
        try await Bench.with { bench in
            let frames = try Self.frames(bench, [("B1", ["10"]), ("C2", ["20"]), ("D3", ["30"])])
            let round = try #require(Self.round(frames, wanted: 2, tools: Self.tools(missing: .artifact)))
            #expect((round.copies, round.found, round.leftOut) == (10, 8, 0))
            let artifact = try #require(round.tallies.first { $0.cause == .artifact })
            #expect((artifact.copies, artifact.found) == (2, 0))
            #expect((round.model, round.threshold) == ("3f9ac2d41b7e", 2))
        }
    }

    @Test func theThresholdIsTheOneThatFramesGet() async throws {
        try await Bench.with { bench in
            let frames = try Self.frames(bench, [("B1", ["10"])])
            let round = try #require(Self.round(frames, wanted: 1, threshold: 9))
            #expect((round.found, round.threshold) == (0, 9))
        }
    }

    @Test func framesThatAreGoneOrFaultyNowAreLeftOut() async throws {
        try await Bench.with { bench in
            let frames = try Self.frames(
                bench,
                [("B1", ["10"]), ("C2", ["150"]), ("D3", ["30"]), ("E4", ["33"])]
            )
            try FileManager.default.removeItem(at: bench.input.appending(path: "01_B1_f0.tif"))
            let round = try #require(Self.round(frames, wanted: 4))
            #expect(round.leftOut == 1)
            #expect(Set(round.frames.split(separator: " ")) == ["01_D03_f0", "01_E04_f0"])
            // The fault that would not show on E4 does not count as missed.
            #expect((round.copies, round.found) == (9, 9))
            #expect(Self.round(Array(frames.prefix(2)), wanted: 2) == nil)
        }
    }

    @Test func aRoundCanBeRepeated() async throws {
        try await Bench.with { bench in
            let frames = try Self.frames(
                bench,
                [("B1", ["10", "11", "12"]), ("C2", ["20"]), ("D3", ["30"])]
            )
            let (first, second) = (Recorder<UInt64>(), Recorder<UInt64>())
            let rounds = [
                Self.round(frames, wanted: 3, tools: Self.tools(seeds: first)),
                Self.round(frames, wanted: 3, tools: Self.tools(seeds: second)),
            ]
            #expect(rounds[0]?.frames == rounds[1]?.frames)
            #expect(first.all == second.all)
            #expect(Set(first.all).count == 15)
        }
    }

    @Test func everyWellComesOnceBeforeAnyComesTwice() async throws {
        try await Bench.with { bench in
            let frames = try Self.frames(
                bench,
                [("B1", ["10", "11", "12"]), ("C2", ["20"]), ("D3", ["30"])]
            )
            let wells = CanaryTrial.spreadOverWells(frames).map(\.frame.well.description)
            #expect(Set(wells.prefix(3)) == ["B01", "C02", "D03"])
            #expect(wells.suffix(2) == ["B01", "B01"])
        }
    }
}
