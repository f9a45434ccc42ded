import Foundation
import Ledger
import Plate
import TestSupport
import Testing

@Suite struct WellSummaryTests {
    @Test func sumsFollowTheFramesAlsoWhereAFrameIsRecordedAgain() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            try ledger.record([
                try Sample.judged("a", frame: 0, verdict: .faulty), try Sample.judged("b", frame: 1),
                try Sample.judged("c", frame: 0, well: "C4"),
            ])
            let before = try ledger.wells(of: "01")
            #expect(before.map(\.well.description) == ["B01", "C04"])
            #expect(before.map(\.judged) == [2, 1] && before.map(\.flagged) == [1, 0])
            #expect(before[0].recentlyFaulty == 1 && before[0].last.frame == 1)
            try ledger.record([try Sample.judged("a", frame: 0)])
            let after = try ledger.wells(of: "01")
            #expect(after.map(\.judged) == [2, 1] && after.map(\.flagged) == [0, 0])
            #expect(after[0].last.frame == 0)
            let runs = try ledger.runs()
            #expect(runs.map(\.run) == ["01"] && runs.map(\.wells) == [2] && runs.map(\.judged) == [3])
        }
    }

    @Test func onlyWellsWithNewsAreAnswered() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            try ledger.record([try Sample.judged("a", frame: 0)])
            let sequence = try ledger.lastSequence()
            try ledger.record([try Sample.judged("c", frame: 0, well: "C4")])
            #expect(try ledger.wells(of: "01", after: sequence).map(\.well.description) == ["C04"])
        }
    }
}
