import Auditing
import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

struct AuditTests {
    @Test func whatTheDaemonLeavesIsComplete() async throws {
        try await withPlate { plate in
            for index in 0..<4 { try plate.judge(index, faulty: index == 2) }
            try plate.judge(10, faulty: true, pages: 3, judgedPages: 3)
            try plate.write("notes.txt")
            try plate.write(".hidden/01_B1_f9.tif")
            let report = try plate.audit()
            #expect(report.isComplete, "\(report.problems)")
            #expect((report.files, report.accounted, report.notFrames) == (5, 5, 1))
            #expect(report.rows == ["scored": 7])
            #expect((report.faulty, report.masks) == (4, 4))
        }
    }

    @Test func filesWithoutAnOutcomeAreFound() async throws {
        try await withPlate { plate in
            try plate.judge(0)
            try plate.judge(1)
            try plate.judge(20, pages: 3, judgedPages: 2)
            try plate.write("01_B1_f1.tif", "other pixels")
            try plate.write("later/01_B1_f2.tif")
            let report = try plate.audit()
            #expect((report.files, report.accounted) == (4, 1))
            #expect(report.count(of: .notJudged) == 2)
            #expect(report.count(of: .rewritten) == 1)
            #expect(report.problems.contains { $0.detail == "2 of 3 pages are judged" })
            #expect(report.problems.contains { $0.subject.hasSuffix("later/01_B1_f2.tif") })
            #expect(report.counts.count == 2)
        }
    }

    @Test func outcomesWithoutAFileAreFoundUnlessItHasAnotherName() async throws {
        try await withPlate { plate in
            for index in 0..<3 { try plate.judge(index) }
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B1_f0.tif"))
            try FileManager.default.moveItem(
                at: plate.watched.appending(path: "01_B1_f1.tif"),
                to: plate.watched.appending(path: "01_B1_f100.tif")
            )
            let report = try plate.audit()
            #expect(report.count(of: .fileMissing) == 1)
            #expect(report.problems.first?.subject.hasSuffix("01_B1_f0.tif") == true)
            // By its new name it is another frame, which is not judged yet.
            #expect(report.count(of: .notJudged) == 1)
        }
    }

    @Test func masksAreHeldAgainstTheLedger() async throws {
        try await withPlate { plate in
            for index in 0..<3 { try plate.judge(index, faulty: true) }
            try FileManager.default.removeItem(at: plate.output("masks/01_B1_f0.mask.tiff"))
            let cut = plate.output("masks/01_B1_f1.mask.tiff")
            try Data(contentsOf: cut).prefix(60).write(to: cut)
            let unknown = plate.output("masks/01_B1_f7.mask.tiff")
            try Data("?".utf8).write(to: unknown)
            let fresh = try plate.audit()
            #expect(fresh.count(of: .maskUnknown) == 0, "its row may be about to come")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -600)],
                ofItemAtPath: unknown.path
            )
            let report = try plate.audit()
            #expect(report.masks == 1)
            #expect(report.counts == ["mask-missing": 1, "mask-damaged": 1, "mask-unknown": 1])
        }
    }

    @Test func alarmLogsAreHeldAgainstTheLedger() async throws {
        try await withPlate { plate in
            for index in 0..<3 { try plate.judge(index, faulty: true) }
            let log = plate.output("alarms/B01.log")
            let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
            try Data((lines[1...].joined(separator: "\n") + "\n\(lines[1])\nno alarm at all\n").utf8).write(
                to: log
            )
            let report = try plate.audit()
            #expect(report.counts == ["alarm-missing": 1, "alarm-doubled": 1, "line-damaged": 1])
            #expect(report.problems.contains { $0.detail == "no FAULT of frame 0" })
            try FileManager.default.removeItem(at: log)
            #expect(try plate.audit().counts == ["alarm-missing": 3])
        }
    }

    @Test func whatIsSaidOfANormalWellIsFoundToo() async throws {
        try await withPlate { plate in
            try plate.judge(0)
            for folder in ["masks", "alarms"] {
                try FileManager.default.createDirectory(
                    at: plate.output(folder),
                    withIntermediateDirectories: true
                )
            }
            let mask = plate.output("masks/01_B1_f0.mask.tiff")
            try Data("?".utf8).write(to: mask)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -600)],
                ofItemAtPath: mask.path
            )
            try Data("no alarm at all\n".utf8).write(to: plate.output("alarms/B01.log"))
            #expect(try plate.audit().counts == ["mask-unknown": 1, "line-damaged": 1])
        }
    }

    @Test func unreadableFramesNeedALine() async throws {
        try await withPlate { plate in
            let identity = try plate.write("01_B1_f0.tif")
            let well = try #require(Well("B1"))
            let frame = FrameID(run: "01", well: well, index: 0)
            try plate.ledger.record([
                FrameRecord(
                    source: FrameSource(root: plate.watched.path, path: "01_B1_f0.tif", identity: identity),
                    frame: frame,
                    outcome: .quarantined(reason: "cut"),
                    model: nil,
                    completed: nil,
                    judged: Timestamp(nanoseconds: 1)
                )
            ])
            #expect(try plate.audit().counts == ["alarm-missing": 1])
        }
    }

    @Test func oneRunOrOneFolderAlone() async throws {
        try await withPlate { plate in
            try plate.judge(0)
            try plate.judge(0, run: "02")
            try plate.write("02_B1_f1.tif")
            try plate.write("part/01_B1_f5.tif")
            #expect(try plate.audit(run: "01").counts == ["not-judged": 1])
            #expect(try plate.audit(run: "02").files == 2)
            let part = try plate.audit(against: plate.watched.appending(path: "part").path)
            #expect(part.files == 1)
            #expect(part.counts == ["not-judged": 1])
        }
    }

    @Test func whatWaitsForTheNextStartIsNamedWithItsReason() async throws {
        try await withPlate { plate in
            try plate.judge(0)
            let frames = try (1...2).map { index in
                PendingFrame(
                    source: FrameSource(
                        root: plate.watched.path,
                        path: "01_B1_f\(index).tif",
                        identity: try plate.write("01_B1_f\(index).tif")
                    ),
                    frame: FrameID(run: "01", well: try #require(Well("B1")), index: index),
                    reason: "the daemon was stopped before its turn",
                    since: Timestamp(nanoseconds: 0)
                )
            }
            try plate.ledger.leave(frames)
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B1_f2.tif"))
            let report = try plate.audit()
            #expect(report.counts == ["not-judged": 1, "file-missing": 1])
            #expect(report.rows["pending"] == 2)
            let waiting = try #require(report.problems.first { $0.kind == .notJudged })
            #expect(
                waiting.detail
                    == "waits since 1970-01-01T00:00:00.000Z, as the daemon was stopped before its turn"
            )
        }
    }

    @Test func aCopyIsComparedByNameAndSize() async throws {
        try await withPlate { plate in
            for index in 0..<3 { try plate.judge(index) }
            let copy = plate.watched.deletingLastPathComponent().appending(path: "archive")
            try FileManager.default.copyItem(at: plate.watched, to: copy)
            try FileManager.default.removeItem(at: plate.watched)
            #expect(try plate.audit(against: copy.path).isComplete)
            let away = try plate.audit()
            #expect(away.counts == ["folder-missing": 1, "file-missing": 3])
            try FileManager.default.removeItem(at: copy.appending(path: "01_B1_f0.tif"))
            try Data("more pixels".utf8).write(to: copy.appending(path: "01_B1_f1.tif"))
            #expect(try plate.audit(against: copy.path).counts == ["file-missing": 1, "rewritten": 1])
        }
    }

    @Test func problemsWithoutEndAreCounted() async throws {
        try await withPlate { plate in
            for index in 0..<150 { try plate.write("01_B1_f\(index).tif") }
            let report = try plate.audit()
            #expect(report.count(of: .notJudged) == 150)
            #expect(report.problems.count == AuditReport.mostExamples)
        }
    }

    private func withPlate(_ body: (AuditedPlate) throws -> Void) async throws {
        try await withTemporaryFolder { try body(AuditedPlate(in: $0)) }
    }
}
