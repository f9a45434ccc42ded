import Foundation
import GRDB
import Plate
import TestSupport
import Testing

@testable import Ledger

/// A ledger at rest, and what becomes of one that was damaged.
struct LedgerRepairTests {
    private static let rows = 2000
    private static let time = Timestamp(nanoseconds: 1_795_341_601_000_000_000)

    private func fill(_ ledger: FrameLedger, _ frames: Range<Int>) throws {
        for start in stride(from: frames.lowerBound, to: frames.upperBound, by: 500) {
            try ledger.record(
                (start..<min(start + 500, frames.upperBound)).map {
                    try Sample.judged("01_B1_f\($0).tif", frame: $0, verdict: $0 % 7 == 0 ? .faulty : .normal)
                }
            )
        }
    }

    private func made(in folder: URL) throws -> String {
        let path = folder.appending(path: "ledger.sqlite").path
        let ledger = try FrameLedger(path: path)
        try ledger.begin(
            DaemonSession(started: Self.time, model: "m", precision: "int8", pattern: "p", folders: ["/in"])
        )
        try fill(ledger, 0..<Self.rows)
        try ledger.close()
        return path
    }

    private func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func aCleanEndLeavesOneFile() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try fill(ledger, 0..<20)
            // Readers of the pool were at work, too.
            #expect(try ledger.counts() == [.judged: 20])
            try ledger.close()
            #expect(try names(folder) == ["ledger.sqlite"])
            #expect(try FrameLedger(reading: path).counts() == [.judged: 20])
        }
    }

    @Test func aSoundLedgerIsLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = try made(in: folder)
            let before = try Data(contentsOf: URL(filePath: path))
            #expect(LedgerRepair.problem(of: path) == nil)
            #expect(try LedgerRepair.repair(path, at: Self.time) == nil)
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
            #expect(
                try names(folder).filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") } == [
                    "ledger.sqlite"
                ]
            )
        }
    }

    /// Damages the file of a ledger; the share is how much of the frames must be saved.
    private static let damages: [(String, Double, @Sendable (inout Data) -> Void)] = [
        (
            "a page in the middle is zero", 0.8,
            { $0.replaceSubrange($0.count / 2..<$0.count / 2 + 4096, with: Data(count: 4096)) }
        ),
        ("the last third is cut off", 0.2, { $0.removeLast($0.count / 3) }),
        (
            "bits of every tenth page are flipped", 0.2,
            { data in
                // Behind the first pages, which are the roots of tables: of a table without its root nothing is read.
                for page in stride(from: 45 * 4096, to: data.count, by: 40_960) { data[page + 3] ^= 0x55 }
            }
        ),
        ("the header is gone", 0, { $0.replaceSubrange(0..<100, with: Data(count: 100)) }),
    ]

    @Test(arguments: damages.indices)
    func whatCanBeReadOfADamagedLedgerIsSaved(_ index: Int) async throws {
        let (what, share, damage) = Self.damages[index]
        try await withTemporaryFolder { folder in
            let path = try made(in: folder)
            var data = try Data(contentsOf: URL(filePath: path))
            damage(&data)
            try data.write(to: URL(filePath: path))
            #expect(LedgerRepair.problem(of: path) != nil, "\(what)")
            let repair = try #require(try LedgerRepair.repair(path, at: Self.time), "\(what)")
            #expect(try Data(contentsOf: URL(filePath: repair.kept)) == data, "\(what): the evidence is kept")
            #expect(LedgerRepair.problem(of: path) == nil, "\(what)")
            let ledger = try FrameLedger(path: path)
            let frames = try ledger.counts()[.judged, default: 0]
            #expect(frames == repair.saved["frames"])
            #expect(Double(frames) >= share * Double(Self.rows), "\(what): \(frames) frames")
            // It can be used: what is missing is judged again, and the sums agree with the rows.
            try fill(ledger, 0..<Self.rows)
            #expect(try ledger.counts() == [.judged: Self.rows])
            #expect(try ledger.runs().first?.judged == Self.rows)
            try ledger.close()
        }
    }

    /// Copies of a ledger in use, as a crash leaves them.
    private func crashed(in folder: URL) throws -> String {
        let path = try made(in: folder)
        let copy = folder.appending(path: "crashed.sqlite").path
        let ledger = try FrameLedger(path: path)
        try ledger.checkpoint(emptying: false)
        try fill(ledger, Self.rows..<Self.rows + 20)
        for ending in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + ending, toPath: copy + ending)
        }
        try ledger.close()
        return copy
    }

    @Test func aLogThatIsGoneIsSaid() async throws {
        try await withTemporaryFolder { folder in
            let path = try crashed(in: folder)
            #expect(LedgerLog(of: path).loss == nil)
            try FileManager.default.removeItem(atPath: path + "-wal")
            #expect(LedgerLog(of: path).loss?.contains("its log \(path)-wal is gone") == true)
            #expect(try FrameLedger(path: path).counts() == [.judged: Self.rows])
            try Data("not a log".utf8).write(to: URL(filePath: path + "-wal"))
            #expect(LedgerLog(of: path).loss?.contains("is not its log") == true)
        }
    }

    @Test func theLogOfAnotherLedgerIsLeftOut() async throws {
        try await withTemporaryFolder { folder in
            let path = try crashed(in: folder)
            let other = folder.appending(path: "other.sqlite").path
            let ledger = try FrameLedger(path: other)
            try fill(ledger, 0..<700)
            try FileManager.default.removeItem(atPath: path + "-wal")
            try FileManager.default.copyItem(atPath: other + "-wal", toPath: path + "-wal")
            guard LedgerRepair.problem(of: path) != nil else { return }
            let repair = try #require(try LedgerRepair.repair(path, at: Self.time))
            #expect(repair.saved["frames"] == Self.rows)
            #expect(try FrameLedger(path: path).counts() == [.judged: Self.rows])
        }
    }
}
