import Foundation
import GRDB
import Ledger
import Plate
import TestSupport
import Testing

@Suite struct WellSummaryTests {
    @Test func sumsFollowTheFramesAlsoWhereAFrameIsRecordedAgain() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            try ledger.record([
                try Sample.scored("a", frame: 0, verdict: .faulty), try Sample.scored("b", frame: 1),
                try Sample.scored("c", frame: 0, well: "C4"),
            ])
            let before = try ledger.wells(of: "01")
            #expect(before.map(\.well.description) == ["B01", "C04"])
            #expect(before.map(\.scored) == [2, 1] && before.map(\.faulty) == [1, 0])
            #expect(before[0].recentlyFaulty == 1 && before[0].last.frame == 1)
            try ledger.record([try Sample.scored("a", frame: 0)])
            let after = try ledger.wells(of: "01")
            #expect(after.map(\.scored) == [2, 1] && after.map(\.faulty) == [0, 0])
            #expect(after[0].last.frame == 0)
            let runs = try ledger.runs()
            #expect(runs.map(\.run) == ["01"] && runs.map(\.wells) == [2] && runs.map(\.scored) == [3])
        }
    }

    @Test func onlyWellsWithNewsAreAnswered() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            try ledger.record([try Sample.scored("a", frame: 0)])
            let sequence = try ledger.lastSequence()
            try ledger.record([try Sample.scored("c", frame: 0, well: "C4")])
            #expect(try ledger.wells(of: "01", after: sequence).map(\.well.description) == ["C04"])
        }
    }

    @Test func aLedgerOfBeforeIsCounted() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let old = try FrameLedger(path: path)
            try old.record([
                try Sample.scored("a", frame: 0, verdict: .faulty), try Sample.scored("b", frame: 1),
            ])
            try old.close()
            let queue = try DatabaseQueue(path: path)
            try await queue.write { database in
                try database.execute(
                    sql: """
                        DROP TRIGGER wells_count_new; DROP TRIGGER wells_uncount_old; DROP TRIGGER wells_count_again;
                        DROP TABLE wells; DROP TABLE decisions; DELETE FROM grdb_migrations WHERE identifier = '5';
                        """
                )
            }
            try queue.close()
            let wells = try FrameLedger(path: path).wells(of: "01")
            #expect(wells.map(\.scored) == [2] && wells.map(\.faulty) == [1])
        }
    }
}
