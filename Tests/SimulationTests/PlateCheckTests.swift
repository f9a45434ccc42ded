import Faults
import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

@testable import Simulation

/// Ten frames of B1, faulty from 4 to 7; ten of B2, all normal; one a second.
private struct Watched {
    static let start: Int64 = 1_795_341_600_000_000_000

    let folder: URL
    let rows: [TruthRow]

    init(in folder: URL) throws {
        self.folder = folder
        rows = try ["B1", "B2"].flatMap { name in
            let well = try #require(Well(name))
            return (0..<10).map { index in
                let isFaulty = name == "B1" && (4...7).contains(index)
                return TruthRow(
                    file: "01_\(name)_f\(index).tiff",
                    frame: FrameID(run: "01", well: well, index: index),
                    faults: isFaulty
                        ? [TruthRow.Shown(kind: .airBubble, strength: index < 6 ? 0.2 : 0.8)] : [],
                    closed: Self.time(index, 0)
                )
            }
        }
    }

    static func time(_ second: Int, _ milliseconds: Int) -> Timestamp {
        Timestamp(nanoseconds: start + (Int64(second) * 1000 + Int64(milliseconds)) * 1_000_000)
    }

    func record(_ row: TruthRow, _ outcome: FrameRecord.Outcome? = nil, flagged: Bool, delay: Int)
        -> FrameRecord
    {
        var judgement = Judgement(
            verdict: flagged ? .faulty : .normal,
            severity: 1,
            threshold: 1,
            scores: ImageScores(maximum: 1, mean: 1, patch: 1),
            score: 1,
            area: 0,
            boundingBox: nil
        )
        judgement.wellIsFaulty = false
        return FrameRecord(
            source: FrameSource(root: "/in", path: row.file),
            frame: row.frame,
            outcome: outcome ?? .judged(judgement),
            model: "m",
            completed: nil,
            judged: Self.time(row.frame.index, delay)
        )
    }

    func alarm(_ event: Alarm.Event, _ row: TruthRow, delay: Int) -> Alarm {
        Alarm(
            time: Self.time(row.frame.index, delay),
            event: event,
            frame: row.frame,
            model: "m",
            judgement: nil,
            reason: event == .unreadable ? "cut" : nil,
            latencyMilliseconds: nil
        )
    }

    func row(_ well: String, _ index: Int) throws -> TruthRow {
        try #require(rows.first { $0.file == "01_\(well)_f\(index).tiff" })
    }

    /// B1: 5 and 6 found, 4 overlooked, 7 missed; B2: 3 a false alarm, 8 unreadable, 9 missed.
    func writeAlarms() throws {
        let tree = OutputTree(root: folder.path)
        var first = try AlarmLog(tree: tree, run: "01", well: try #require(Well("B1")))
        try first.append([
            alarm(.fault, try row("B1", 5), delay: 500), alarm(.fault, try row("B1", 6), delay: 700),
            alarm(.onset, try row("B1", 6), delay: 700), alarm(.clear, try row("B1", 9), delay: 200),
        ])
        var second = try AlarmLog(tree: tree, run: "01", well: try #require(Well("B2")))
        try second.append([
            alarm(.fault, try row("B2", 3), delay: 100), alarm(.unreadable, try row("B2", 8), delay: 100),
        ])
    }

    func writeLedger() throws {
        let ledger = try FrameLedger(path: OutputTree(root: folder.path).ledger)
        let missed = ["01_B1_f7.tiff", "01_B2_f9.tiff"]
        let flagged = ["01_B1_f5.tiff", "01_B1_f6.tiff", "01_B2_f3.tiff"]
        try ledger.record(
            rows.filter { !missed.contains($0.file) }.map { row in
                let isDamaged = row.file == "01_B2_f8.tiff"
                return record(
                    row,
                    isDamaged ? .quarantined(reason: "cut") : nil,
                    flagged: flagged.contains(row.file),
                    delay: row.frame.index < 9 ? 100 : 900
                )
            }
        )
        try ledger.close()
    }
}

struct PlateCheckTests {
    @Test func theLedgerIsJoinedWithTheTruth() async throws {
        try await withTemporaryFolder { folder in
            let watched = try Watched(in: folder)
            try watched.writeAlarms()
            try watched.writeLedger()
            let report = try PlateCheck.report(folder: folder.path, truth: watched.rows)
            #expect(report.source == "ledger")
            #expect(report.frames.written == 20 && report.frames.faulty == 4)
            #expect(report.frames.judged == 17 && report.frames.quarantined == 1)
            #expect(report.frames.missed == ["01_B1_f7.tiff", "01_B2_f9.tiff"])
            #expect(report.frames.doubled.isEmpty && report.frames.unexpected == 0)
            #expect(report.detection.recall == 0.5)
            #expect(report.detection.precision == 2.0 / 3)
            #expect(report.detection.falseAlarmRate == 1.0 / 16)
            #expect(report.wells.recall == 1 && report.wells.precision == 1)
            let weak = report.faults.first { $0.strength == [0, 0.25] }
            #expect(weak?.fault == "air-bubble" && weak?.frames == 2 && weak?.found == 1)
            #expect(report.faults.last?.frames == 4 && report.faults.last?.recall == 0.5)
            #expect(report.onset.episodes == 1 && report.onset.announced == 1)
            #expect(report.onset.frames?.p50 == 2, "the fault began at frame 4, the line names frame 6")
            #expect(report.onset.seconds?.p50 == 2.7)
            #expect(report.closeToJudged?.p50 == 0.1 && report.closeToJudged?.p99 == 0.9)
            #expect(report.closeToJudged?.p90 == 0.1)
            #expect(report.closeToAlarm?.maximum == 0.7 && report.closeToAlarm?.count == 3)
            #expect(CheckLimits().shortcomings(of: report) == ["2 frames were missed"])
            #expect(report.table.contains { $0.contains("missed: 01_B2_f9.tiff") })
            #expect(report.table.allSatisfy { $0.count <= 110 })
        }
    }

    @Test func withoutALedgerTheAlarmLogsSayWhatTheyCan() async throws {
        try await withTemporaryFolder { folder in
            let watched = try Watched(in: folder)
            try watched.writeAlarms()
            let report = try PlateCheck.report(folder: folder.path, truth: watched.rows)
            #expect(report.source == "alarms")
            #expect(report.frames.missed == nil && report.frames.judged == nil)
            #expect(report.frames.quarantined == 1)
            #expect(report.detection.recall == 0.5 && report.detection.precision == 2.0 / 3)
            #expect(report.closeToJudged == nil && report.closeToAlarm?.p50 == 0.5)
            #expect(CheckLimits().shortcomings(of: report).count == 1, "it is not known that none was missed")
            #expect(CheckLimits(allowsUnknown: true).shortcomings(of: report).isEmpty)
        }
    }

    @Test func whatIsJudgedTwiceOrUnknownIsSaid() async throws {
        try await withTemporaryFolder { folder in
            let watched = try Watched(in: folder)
            try watched.writeLedger()
            let ledger = try FrameLedger(path: OutputTree(root: folder.path).ledger)
            let row = try watched.row("B1", 1)
            let copy = TruthRow(file: "copy/01_B1_f1.tiff", frame: row.frame, faults: [], closed: row.closed)
            let other = TruthRow(
                file: "01_B1_f77.tiff",
                frame: FrameID(run: "01", well: row.frame.well, index: 77),
                faults: [],
                closed: row.closed
            )
            try ledger.record([copy, other].map { watched.record($0, flagged: false, delay: 1) })
            try ledger.close()
            let report = try PlateCheck.report(folder: folder.path, truth: watched.rows)
            #expect(report.frames.doubled == ["01_B1_f1.tiff"])
            #expect(report.frames.unexpected == 1)
        }
    }

    @Test func limitsAreHeldAgainstTheFigures() async throws {
        try await withTemporaryFolder { folder in
            let watched = try Watched(in: folder)
            try watched.writeAlarms()
            try watched.writeLedger()
            let rows = watched.rows.filter { $0.file != "01_B1_f7.tiff" && $0.file != "01_B2_f9.tiff" }
            let report = try PlateCheck.report(folder: folder.path, truth: rows)
            #expect(CheckLimits().shortcomings(of: report).isEmpty)
            let kept = CheckLimits(recall: 0.66, precision: 0.66, falseAlarmRate: 0.07, latency99: 1)
            #expect(kept.shortcomings(of: report).isEmpty)
            let missed = CheckLimits(recall: 0.67, precision: 0.67, falseAlarmRate: 0.06, latency99: 0.8)
            #expect(missed.shortcomings(of: report).count == 4)
        }
    }

    @Test func aWrongFolderIsRefused() async throws {
        try await withTemporaryFolder { folder in
            let watched = try Watched(in: folder)
            let error = #expect(throws: SimulationError.self) {
                _ = try PlateCheck.report(folder: folder.path, truth: watched.rows)
            }
            #expect(error?.description.contains("no ledger and no alarm log of run 01") ?? false)
            #expect(throws: SimulationError.self) {
                _ = try PlateCheck.report(folder: folder.path, truth: [])
            }
        }
    }
}
