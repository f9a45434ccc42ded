import Foundation
import GRDB
import Plate
import TestSupport
import Testing

@testable import Ledger

/// Rows that the daemon never wrote: a damaged page of the database, a hand that mended too much.
@Suite struct SenselessRowTests {
    private static let extremes = ["0", "-1", "9223372036854775807", "-9223372036854775808", "2147483648"]
    private static let columns = [
        "page", "pages", "frame", "width", "height", "box_x", "box_y", "box_width", "box_height", "device",
        "inode",
        "size", "mtime_ns", "completed_ns", "judged_ns", "well_faulty", "digest", "sequence",
    ]

    /// A ledger with a row of every kind.
    private func fill(_ ledger: FrameLedger) throws {
        let frames = try (0..<4).map {
            try Sample.judged("\($0).tif", frame: $0, verdict: $0 == 1 ? .faulty : .normal)
        }
        let movie = try (0..<2).map {
            try Sample.judged("m.tif", frame: 10 + $0, page: $0, pages: 2, well: "C1")
        }
        let alarm = Alarm(
            time: Timestamp(nanoseconds: 1),
            event: .fault,
            frame: FrameID(run: "01", well: try Sample.well(), index: 1),
            model: "m"
        )
        let advice = Advice(
            id: "adv_1",
            run: "01",
            action: .skipWell,
            wells: [try Sample.well()],
            reason: "",
            since: Timestamp(nanoseconds: 1),
            frame: 1
        )
        try ledger.record(frames + movie, alarms: [alarm], advice: [advice])
        try ledger.begin(
            DaemonSession(
                started: Timestamp(nanoseconds: 1),
                model: "m",
                precision: "f32",
                pattern: "p",
                folders: ["/in"]
            )
        )
        let waiting = FrameSource(root: "/in", path: "w.tif", identity: Sample.identity())
        let frame = FrameID(run: "01", well: try Sample.well(), index: 20)
        try ledger.leave([
            PendingFrame(source: waiting, frame: frame, reason: "", since: Timestamp(nanoseconds: 1))
        ])
    }

    /// Asks everything that can be asked; an error is an answer.
    private func ask(_ ledger: FrameLedger) {
        guard let well = Well("B1") else { return }
        let source = FrameSource(root: "/in", path: "0.tif", identity: Sample.identity())
        _ = try? ledger.settled([source])
        try? ledger.forEachSettled { _, _ in }
        _ = try? ledger.knownPages(of: source)
        _ = try? ledger.counts()
        _ = try? ledger.recentNormalFrames(model: "3f9ac2d41b7e")
        _ = try? ledger.normalFiles(atMost: 10)
        try? ledger.forEachPoint(of: well, run: "01") { _ in }
        try? ledger.forEachSeverity(of: "01") { _, _, _ in }
        _ = try? ledger.records(of: well, run: "01", FrameLedger.Selection())
        _ = try? ledger.records(of: FrameID(run: "01", well: well, index: 1))
        _ = try? ledger.runs()
        _ = try? ledger.runs(writtenSince: Timestamp(nanoseconds: .min))
        _ = try? ledger.standings(of: "01")
        _ = try? ledger.worstFaults(of: "01", after: 0)
        _ = try? ledger.lastFrame(of: "01")
        _ = try? ledger.wells(of: "01")
        _ = try? ledger.history(of: well, run: "01", count: 10)
        _ = try? ledger.appearances(of: well, run: "01", model: "3f9ac2d41b7e", count: 10)
        _ = try? ledger.alarms(run: "01")
        _ = try? ledger.advice()
        _ = try? ledger.onsets(of: "01")
        _ = try? ledger.sessions()
        _ = try? ledger.pending()
        try? ledger.forEach { _ in }
        // A daemon goes on recording beside such rows.
        if let record = try? Sample.judged("new.tif", frame: 30) { try? ledger.record([record]) }
    }

    @Test(arguments: columns)
    func noNumberOfAFrameEndsTheProgram(column: String) async throws {
        for value in Self.extremes + ["NULL"] {
            try await withLedger { ledger in
                try fill(ledger)
                try? ledger.pool.write {
                    try $0.execute(sql: "UPDATE frames SET \(column) = \(value) WHERE path = '0.tif'")
                }
                ask(ledger)
            }
        }
    }

    @Test(arguments: [
        "UPDATE frames SET run = NULL", "UPDATE frames SET well = NULL", "UPDATE frames SET well = 'ZZ99'",
        "UPDATE frames SET view = 's'", "UPDATE frames SET verdict = NULL", "UPDATE frames SET verdict = 'x'",
        "UPDATE frames SET severity = 9e999, threshold = -9e999, area = 1e300, confidence = 9e999",
        "UPDATE frames SET appearance = x'00FF'", "UPDATE frames SET terms = '{\"a\":1e999}'",
        "UPDATE frames SET sequence = 9223372036854775807 WHERE path = '0.tif'",
        "UPDATE series SET judged = 9223372036854775807, flagged = -1, first_ns = -9223372036854775808",
        "UPDATE alarms SET frame = -1",
        "UPDATE alarms SET time_ns = -9223372036854775808, frame = 9223372036854775807",
        "UPDATE alarms SET well = '', event = 'X'",
        "UPDATE sessions SET started_ns = -9223372036854775808, ended_ns = 9223372036854775807",
        "UPDATE advice SET wells = 'x ZZ99', frame = -1, since_ns = -9223372036854775808",
        "UPDATE advice SET by = 'x', at_ns = 9223372036854775807, is_over = 7",
        "UPDATE pending SET frame = -1, size = -1, since_ns = -9223372036854775808", "DELETE FROM roots",
    ])
    func noRowEndsTheProgram(change: String) async throws {
        try await withLedger { ledger in
            try fill(ledger)
            try? ledger.pool.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA foreign_keys = OFF")
                try $0.execute(sql: change)
            }
            ask(ledger)
        }
    }

    @Test(arguments: [("page", "-1"), ("pages", "0"), ("frame", "-7"), ("width", "-1"), ("box_x", "-5")])
    func aSenselessRowIsNamed(column: String, value: String) async throws {
        try await withLedger { ledger in
            try fill(ledger)
            try ledger.pool.write {
                try $0.execute(sql: "UPDATE frames SET \(column) = \(value) WHERE path = '2.tif'")
            }
            let error = #expect(throws: LedgerError.self) { try ledger.forEach { _ in } }
            let sentence = error?.description ?? ""
            #expect(error?.code == .damaged)
            #expect(
                sentence.contains("2.tif") && sentence.contains(value) && sentence.contains(column),
                "\(sentence)"
            )
        }
    }

    @Test func tablesOfAnotherMakeAreRefused() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try fill(ledger)
            // Without STRICT a column of numbers may hold text, and text is read as none.
            try ledger.pool.write { database in
                try database.execute(sql: "DROP TABLE models; CREATE TABLE models (name, path, first_ns)")
            }
            try ledger.close()
            for isReader in [false, true] {
                let error = #expect(throws: LedgerError.self) {
                    try isReader ? FrameLedger(reading: path) : FrameLedger(path: path)
                }
                #expect(error?.code == .damaged)
                #expect(error?.description.contains("models is not as autoqc makes it") == true)
            }
        }
    }
}
