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

    @Test(arguments: [0, 1, 99])
    func anotherSchemaIsRefusedWithASentence(version: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try ledger.record([try Sample.judged("a.tif", frame: 1)])
            try ledger.pool.write { try $0.execute(sql: "PRAGMA user_version = \(version)") }
            try ledger.close()
            for isReader in [false, true] {
                let error = #expect(throws: LedgerError.self) {
                    try isReader ? FrameLedger(reading: path) : FrameLedger(path: path)
                }
                #expect(error?.code == .otherSchema)
                #expect(error?.isRetriable == false)
                let sentence = "\(error?.description ?? "")"
                #expect(sentence.contains(path) && sentence.contains("its schema version is \(version)"))
                #expect(sentence.contains("use that version, or name another output folder"))
            }
            // What was refused was not touched.
            let rows = try DatabaseQueue(path: path).read {
                try Int.fetchOne($0, sql: "SELECT count(*) FROM frames")
            }
            #expect(rows == 1)
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
            #expect(error?.code == .notMade)
            #expect(error?.description.contains("autoqc watch") == true)
            let record = try Sample.judged("a.tif", frame: 1)
            try FrameLedger(path: path).record([record])
            let reader = try FrameLedger(reading: path)
            #expect(try reader.record(at: record.source.place) == record)
            #expect(throws: LedgerError.self) { try reader.record([record]) }
        }
    }

    @Test func aLedgerThatIsTakenAwayIsNoticed() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try ledger.record([try Sample.judged("a.tif", frame: 1)])
            try FileManager.default.removeItem(atPath: path)
            let error = #expect(throws: LedgerError.self) {
                try ledger.record([Sample.judged("b.tif", frame: 2)])
            }
            #expect(error?.code == .gone)
            #expect(error?.isRetriable == false)
        }
    }

    /// Every byte of a row's terms changed to every other: what is read is whole, or nothing.
    @Test func noDamageOfTermsIsTaken() throws {
        let whole = [("level", -0.25), ("tiles_top", 4.125)].map {
            SeverityContribution(term: $0.0, value: $0.1)
        }
        let text = try #require(TermsText.write(whole))
        #expect(TermsText.read(text) == whole)
        let bytes = Array(text.utf8)
        for place in bytes.indices {
            #expect(TermsText.read(String(decoding: bytes[..<place], as: UTF8.self)).isEmpty)
            for byte in UInt8.min...UInt8.max {
                var damaged = bytes
                damaged[place] = byte
                let terms = TermsText.read(String(decoding: damaged, as: UTF8.self))
                #expect(terms.allSatisfy { !$0.term.isEmpty && $0.value.isFinite } && terms.count <= 2)
            }
        }
    }

    @Test func lookUpsUseTheIndexes() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            try ledger.pool.read { database in
                for query in [
                    "SELECT 1 FROM frames WHERE root = 1 AND path = 'a' AND inode = 1",
                    """
                    SELECT 1 FROM frames WHERE turn IS NOT NULL AND run = '1' AND well = 'A01' AND view = ''
                    ORDER BY turn DESC
                    """,
                    "SELECT max(sequence) FROM frames",
                    "SELECT 1 FROM frames WHERE run = '1' AND well = 'A01' AND view = '' AND frame = 1",
                    "SELECT 1 FROM frames WHERE run = '1' AND mask = 'masks/a.mask.tiff'",
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
