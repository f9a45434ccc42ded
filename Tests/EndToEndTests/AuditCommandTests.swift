import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

/// The ledger's commands on what a daemon left, through the built program.
@Suite(.serialized) struct AuditCommandTests {
    @Test func aRunIsShownToBeCompleteAndADefectIsNamed() async throws {
        try await withJudgedPlate { plate in
            let audit = try await run(["audit", plate.out.path], in: plate.folder)
            #expect(audit.status == 0, "\(audit.said)")
            #expect(audit.printed.contains("4 with an outcome"))
            #expect(audit.printed.contains("All is accounted for."))
            let mask = try #require(plate.names(in: "01/masks").first { $0.hasSuffix(".tiff") })
            try FileManager.default.removeItem(at: plate.out.appending(path: "01/masks/\(mask)"))
            try plate.add("01_B1_f9.tiff")
            let json = plate.folder.appending(path: "audit.json")
            let incomplete = try await run(["audit", plate.out.path, "--json", json.path], in: plate.folder)
            #expect(incomplete.status == 1)
            #expect(incomplete.printed.contains("mask-missing: 1"))
            #expect(incomplete.printed.contains("not-judged: 1"))
            #expect(incomplete.printed.contains("01_B1_f9.tiff"))
            let report = try JSONSerialization.jsonObject(with: Data(contentsOf: json)) as? [String: Any]
            #expect(report?["accounted"] as? Int == 4)
        }
    }

    @Test func jsonTakesThePlaceOfTheTextOnStandardOutput() async throws {
        try await withJudgedPlate { plate in
            for more in [["--json"], ["--json", "-"]] {
                let audit = try await run(["audit", plate.out.path] + more, in: plate.folder)
                #expect(audit.status == 0)
                let report =
                    try JSONSerialization.jsonObject(with: Data(audit.printed.utf8)) as? [String: Any]
                #expect(report?["accounted"] as? Int == 4)
            }
            let doctor = [
                "doctor", "--model", Program.model, "--out", plate.out.path, plate.watched.path, "--json",
            ]
            let found = try await run(doctor, in: plate.folder).printed
            let diagnoses = try JSONSerialization.jsonObject(with: Data(found.utf8)) as? [[String: Any]]
            #expect(
                diagnoses?.contains { $0["subject"] as? String == "model" && $0["level"] as? String == "ok" }
                    == true
            )
        }
    }

    @Test func exportPrintsEveryRow() async throws {
        try await withJudgedPlate { plate in
            let csv = try await run(["export", plate.out.path], in: plate.folder).printed.split(
                separator: "\n"
            )
            #expect(csv.count == 5)
            #expect(csv[0].hasPrefix("file,page,run,well,field,channel,plane,frame,state"))
            #expect(csv.dropFirst().count { $0.contains(",faulty,") } == 2)
            let lines = try await run(["export", plate.out.path, "--jsonl", "--run", "01"], in: plate.folder)
            let wells = try lines.printed.split(separator: "\n").map {
                (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["well"] as? String
            }
            #expect(wells == Array(repeating: "B01", count: 4))
        }
    }

    @Test func anotherThresholdOrModelShowsWhatWouldChange() async throws {
        try await withJudgedPlate { plate in
            let high = try await run(["rejudge", plate.out.path, "--threshold", "1e9"], in: plate.folder)
            #expect(high.status == 0)
            #expect(high.printed.split(separator: "\n").last == "\"01\",B01,,,,4,2,0,3,")
            #expect(high.said.contains("0 turn faulty, 2 turn normal"))
            let same = try await run(["rejudge", plate.out.path, "--model", Program.model], in: plate.folder)
            #expect(same.printed.isEmpty)
            #expect(same.said.contains("4 frames: 0 turn faulty, 0 turn normal, in 0 wells"))
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B1_f0.tiff"))
            let table = plate.folder.appending(path: "verdicts.csv")
            let arguments = ["rejudge", plate.out.path, "--model", Program.model, "--frames", table.path]
            let incomplete = try await run(arguments, in: plate.folder)
            #expect(incomplete.said.contains("1 frames are left out"))
            #expect(incomplete.status == 1)
            #expect(try String(contentsOf: table, encoding: .utf8).split(separator: "\n").count == 4)
        }
    }

    @Test func syncWaitsForARunningDaemonAndForNoOther() async throws {
        try await withJudgedPlate { plate in
            #expect(try await run(["sync", plate.out.path], in: plate.folder).status == 0)
            try plate.add("01_B1_f4.tiff", faulty: true)
            let alone = try await run(["sync", plate.out.path], in: plate.folder)
            #expect(alone.status == 1)
            #expect(alone.said.contains("no daemon runs"))
            let daemon = try Program(plate.watchArguments, in: plate.folder)
            try await until("the first listing is done", by: daemon) { daemon.said.contains("first listing") }
            for frame in 5..<9 { try plate.add("01_B1_f\(frame).tiff") }
            let sync = try await run(["sync", plate.out.path], in: plate.folder)
            #expect(sync.status == 0, "\(sync.said)")
            #expect(plate.counts() == [.judged: 9])
            #expect(try await run(["audit", plate.out.path], in: plate.folder).status == 0)
            daemon.signal(SIGTERM)
            #expect(try await daemon.end() == 0)
        }
    }

    @Test func tailPrintsTheLogsOwnLinesToAPipe() async throws {
        try await withJudgedPlate { plate in
            let all = try plate.alarms(run: "01", well: "B01")
            let tail = try await run(["tail", plate.out.path, "--once", "--well", "B1"], in: plate.folder)
            #expect(tail.printed.split(separator: "\n").map { String($0) } == all)
            let last = try await run(["tail", plate.out.path, "--once", "--lines", "1"], in: plate.folder)
            #expect(last.printed.split(separator: "\n").count == 1)
            #expect(try await run(["tail", plate.out.path, "--well", "ZZZ9"], in: plate.folder).status != 0)
            func events(_ options: [String]) async throws -> [String] {
                let arguments = ["tail", plate.out.path, "--once", "--lines", "1000"] + options
                return try await run(arguments, in: plate.folder).printed.split(separator: "\n").compactMap {
                    AlarmLine.parse($0)?.event.rawValue
                }
            }
            let (every, turns) = (try await events([]), try await events(["--turns"]))
            #expect(
                turns == every.filter { !["FAULT", "UNREADABLE"].contains($0) } && turns.count < every.count
            )
            let onsets = try await events(["--event", "ONSET", "plate"])
            #expect(onsets == every.filter { ["ONSET", "PLATE"].contains($0) } && !onsets.isEmpty)
            let wrong = try await run(["tail", plate.out.path, "--event", "ONSETS"], in: plate.folder)
            #expect(wrong.status != 0 && wrong.said.contains("ONSETS is no event"))
        }
    }

    @Test func aFolderWithoutALedgerIsNamed() async throws {
        try await withTemporaryFolder { folder in
            for command in [["audit"], ["sync"], ["export"], ["rejudge", "--threshold", "3"]] {
                let result = try await run(command + [folder.path], in: folder)
                #expect(result.status == 1)
                #expect(result.said.contains("has no ledger"), "\(result.said)")
            }
        }
    }

    @Test func theDoctorNamesWhatIsWrongAndWhatToDo() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let arguments = ["doctor", "--model", Program.model, "--out", plate.out.path]
            let well = try await run(arguments + [plate.watched.path], in: folder)
            #expect(well.status == 0, "\(well.printed)")
            for subject in [
                "cpu", "libraries", "model", "watched folder", "inotify", "output", "space", "clock",
            ] {
                #expect(well.printed.contains("  \(subject): "), "\(subject)")
            }
            let ill = try await run(arguments + [folder.appending(path: "gone").path], in: folder)
            #expect(ill.status == 1)
            #expect(ill.printed.contains("fail  watched folder"))
            #expect(ill.printed.contains("make it or mount it"))
        }
    }

    /// Four frames of a well, the last two of them faulty, judged by the program.
    private func withJudgedPlate(_ body: (TestPlate) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            for frame in 0..<4 { try plate.add("01_B1_f\(frame).tiff", faulty: frame >= 2) }
            let program = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await program.end() == 0)
            try await body(plate)
        }
    }

    private func run(
        _ arguments: [String],
        in folder: URL
    ) async throws -> (status: Int32, said: String, printed: String) {
        let program = try Program(arguments, in: folder)
        return (try await program.end(), program.said, program.printed)
    }
}
