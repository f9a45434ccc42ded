import Foundation
import Ledger
import Plate
import Reporting
import Testing

@testable import Acquisition
@testable import Monitoring
@testable import Rules

/// A restart in the midst of a run, or after one.
struct StallReporterTests {
    private static let restart = Timestamp(nanoseconds: 1_795_341_602_000_000_000)
    private let start = ContinuousClock.now

    private func file(
        _ well: String,
        _ index: Int,
        run: String = "01",
        written seconds: Int64,
        found: FrameFile.Discovery = .closed
    ) throws -> FrameFile {
        let name = "\(run)_\(well)_f\(index).tif"
        let written = Timestamp(nanoseconds: Self.restart.nanoseconds + seconds * 1_000_000_000)
        return FrameFile(
            source: FrameSource(
                root: "/in",
                path: name,
                identity: FileIdentity(inode: 1, size: 1, modified: written)
            ),
            frame: FrameID(run: run, well: try #require(Well(well)), index: index),
            completed: written,
            found: found
        )
    }

    /// What the daemon before had judged.
    private func record(_ files: [FrameFile], in bench: Bench) throws {
        let ledger = try FrameLedger(path: bench.tree.ledger)
        try ledger.record(
            files.map { file in
                FrameRecord(
                    source: file.source,
                    frame: file.frame,
                    outcome: .quarantined(reason: "only its time matters here"),
                    model: "3f9ac2d41b7e",
                    completed: file.completed,
                    judged: file.modified
                )
            }
        )
    }

    private func reported(_ stalls: StallReporter, after seconds: Int) -> [StallWatch.Stall] {
        var reported: [StallWatch.Stall] = []
        stalls.report(now: start + .seconds(seconds)) { stall, _ in reported.append(stall) }
        return reported
    }

    private func stalls(_ bench: Bench) throws -> StallReporter {
        let stalls = try bench.stalls(at: Self.restart)
        stalls.set(limit: .after(.seconds(60)))
        return stalls
    }

    @Test func aWellThatStoppedBeforeTheRestartIsReportedWhileOthersGoOn() async throws {
        try await Bench.with { bench in
            try record([file("B1", 4, written: -30), file("C1", 5, written: -8)], in: bench)
            let stalls = try stalls(bench)
            stalls.resume(now: start)
            for index in 6..<20 {
                stalls.saw(
                    try file("C1", index, written: Int64(8 * (index - 6))),
                    now: start + .seconds(8 * (index - 6))
                )
            }
            #expect(reported(stalls, after: 59).isEmpty)
            let expected = StallWatch.Stall(
                last: try file("B1", 4, written: 0).frame,
                limit: .seconds(60),
                isWholeRun: false
            )
            #expect(reported(stalls, after: 61) == [expected])
            #expect(reported(stalls, after: 100).isEmpty)
        }
    }

    @Test func aRunThatStoppedAtTheRestartIsReported() async throws {
        try await Bench.with { bench in
            try record([file("B1", 4, written: -9), file("C1", 5, written: -8)], in: bench)
            let stalls = try stalls(bench)
            stalls.resume(now: start)
            #expect(reported(stalls, after: 59).isEmpty)
            #expect(reported(stalls, after: 60).map(\.isWholeRun) == [true])
        }
    }

    @Test func aRunThatHadEndedIsNot() async throws {
        try await Bench.with { bench in
            try record(
                [file("B1", 4, run: "00", written: -90), file("C1", 5, run: "00", written: -61)],
                in: bench
            )
            let stalls = try stalls(bench)
            stalls.resume(now: start)
            // Neither one that was never judged and only lies there.
            stalls.saw(try file("D1", 3, run: "old", written: -5000, found: .listed), now: start)
            stalls.saw(try file("B1", 0, written: 1), now: start + .seconds(1))
            #expect(reported(stalls, after: 60).isEmpty)
            #expect(reported(stalls, after: 61).map(\.last.run) == ["01"])
        }
    }

    @Test func anEarlierRunOfTheSameNameHasNoPartInTheNewOne() async throws {
        try await Bench.with { bench in
            try record([file("B1", 4, written: -7200)], in: bench)
            let stalls = try stalls(bench)
            for index in 0..<20 {
                stalls.saw(
                    try file("C1", index, written: Int64(8 * index)),
                    now: start + .seconds(8 * index)
                )
            }
            #expect(reported(stalls, after: 153).isEmpty)
        }
    }
}
