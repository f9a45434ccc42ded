import Foundation
import GRDB
import Plate
import Synchronization
import TestSupport
import Testing

@testable import Ledger

struct LedgerSchemaTests {
    @Test func commitsAreDurableAndReadersDoNotWait() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            let (synchronous, mode) = try ledger.pool.writeWithoutTransaction { database in
                try (
                    Int.fetchOne(database, sql: "PRAGMA synchronous"),
                    String.fetchOne(database, sql: "PRAGMA journal_mode")
                )
            }
            #expect(synchronous == 2)
            #expect(mode == "wal")
        }
    }

    @Test func aLaterSchemaIsRefusedWithASentence() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try ledger.pool.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')") }
            try ledger.close()
            let error = #expect(throws: LedgerError.self) { try FrameLedger(path: path) }
            #expect(error?.code == .newerSchema)
            #expect(error?.isRetriable == false)
        }
    }

    @Test func readersNeverDisturbTheOneWhoMakesIt() async throws {
        try await withTemporaryFolder { folder in
            for round in 0..<5 {
                let path = folder.appending(path: "ledger\(round).sqlite").path
                let isMade = Atomic(false)
                DispatchQueue.concurrentPerform(iterations: 4) { worker in
                    guard worker > 0 else {
                        defer { isMade.store(true, ordering: .releasing) }
                        do { _ = try FrameLedger(path: path) } catch { Issue.record("\(error)") }
                        return
                    }
                    while !isMade.load(ordering: .acquiring) { _ = try? FrameLedger(reading: path).counts() }
                }
                let counts = try FrameLedger(reading: path).counts()
                #expect(counts.isEmpty)
            }
        }
    }

    @Test func readersWaitForTheTablesAndMakeNone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            #expect(throws: LedgerError.self) { try FrameLedger(reading: path) }
            #expect(!FileManager.default.fileExists(atPath: path))
            try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE notes (line TEXT)") }
            let error = #expect(throws: LedgerError.self) { try FrameLedger(reading: path) }
            #expect(error?.code == .olderSchema)
            #expect(error?.description.contains("autoqc watch") == true)
            let record = try Sample.scored("a.tif", frame: 1)
            try FrameLedger(path: path).record([record])
            let reader = try FrameLedger(reading: path)
            #expect(try reader.record(for: record.key) == record)
            #expect(throws: LedgerError.self) { try reader.record([record]) }
        }
    }

    @Test func aLedgerThatIsTakenAwayIsNoticed() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try ledger.record([try Sample.scored("a.tif", frame: 1)])
            try FileManager.default.removeItem(atPath: path)
            let error = #expect(throws: LedgerError.self) {
                try ledger.record([Sample.scored("b.tif", frame: 2)])
            }
            #expect(error?.code == .gone)
            #expect(error?.isRetriable == false)
        }
    }

    @Test func aLedgerOfTheFirstSchemaIsTakenOver() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let record = try Sample.scored("a.tif", frame: 1, verdict: .faulty)
            do {
                let pool = try DatabasePool(path: path)
                try LedgerSchema.migrator.migrate(pool, upTo: "1")
                try pool.write { database in
                    try database.execute(sql: "INSERT INTO roots (path) VALUES ('/in')")
                    try database.execute(
                        sql: """
                            INSERT INTO frames (root, path, page, pages, run, well, frame, state, score_max, score_mean,
                            score_patch, score, severity, threshold, verdict, area, well_faulty, judged_ns, sequence)
                            VALUES (1, 'a.tif', 0, 1, '01', 'B01', 1, 'scored', 1, 1, 1, 1, 9, 3, 'faulty', 0, 1, 2, 1)
                            """
                    )
                }
                try pool.close()
            }
            let ledger = try FrameLedger(path: path)
            guard case .scored(let score) = try ledger.record(for: record.key)?.outcome else {
                Issue.record("the row is gone")
                return
            }
            #expect(score.tier == .full)
            #expect(score.precision == nil)
            #expect(try ledger.history(of: Sample.well(), run: "01", count: 3).isFaulty)
            try ledger.record([record])
            #expect(try ledger.record(for: record.key) == record)
        }
    }

    @Test func lookUpsUseTheIndexes() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            try ledger.pool.read { database in
                for query in [
                    "SELECT 1 FROM frames WHERE root = 1 AND path = 'a' AND device = 1",
                    """
                    SELECT 1 FROM frames WHERE state = 'scored' AND well_faulty IS NOT NULL AND run = '1'
                    AND well = 'A01' ORDER BY sequence DESC
                    """,
                    "SELECT max(sequence) FROM frames",
                    "SELECT 1 FROM frames WHERE run = '1' AND well = 'A01' AND frame = 1",
                ] {
                    let plan = try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(query)")
                    let text = plan.map { $0["detail"] as String }.joined(separator: "; ")
                    #expect(
                        text.contains("USING") && !text.contains("SCAN") && !text.contains("TEMP B-TREE"),
                        "\(text)"
                    )
                }
            }
        }
    }
}
