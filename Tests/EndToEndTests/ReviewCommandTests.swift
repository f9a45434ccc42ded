import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

/// From a judged plate to what other tools read, through the built program.
@Suite(.serialized) struct ReviewCommandTests {
    /// A plate with two normal wells and a faulty one, judged, with what a reviewer says of it.
    private func withReviewedPlate(_ body: (TestPlate) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            for frame in 0..<3 {
                try plate.add("01_A1_f\(frame).tiff")
                try plate.add("01_A2_f\(frame).tiff")
                try plate.add("01_B1_f\(frame).tiff", faulty: true)
            }
            let watch = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await watch.end() == 0)
            for (frame, kind) in [(0, Decision.Kind.fault), (1, .falseAlarm), (2, .unsure)] {
                try decide(plate, frame, kind, by: "Ada", note: "a \"bubble\",\nreally")
            }
            try await body(plate)
        }
    }

    /// What a reviewer says of a frame of B1.
    private func decide(
        _ plate: TestPlate,
        _ frame: Int,
        _ kind: Decision.Kind,
        by reviewer: String,
        note: String = ""
    ) throws {
        try DecisionLog(OutputTree(root: plate.out.path)).add(
            Decision(
                run: "01",
                well: try #require(Well("B1")),
                frame: frame,
                kind: kind,
                note: note,
                reviewer: reviewer,
                decided: Timestamp(nanoseconds: 1_795_341_601_000_000_000)
            )
        )
    }

    private func run(_ arguments: [String], _ plate: TestPlate) async throws -> String {
        let program = try Program(arguments, in: plate.folder)
        #expect(try await program.end() == 0, "\(program.said)")
        return program.printed
    }

    @Test func decisionsBecomeLabelsAndANewCalibration() async throws {
        try await withReviewedPlate { plate in
            let labels = try await run(["export", plate.out.path, "--labels"], plate).split(separator: "\n")
            #expect(labels.count == 3, "a header, a true fault, a false alarm; unsure is no label")
            #expect(labels[0].hasPrefix("img_path,seg_path,label,"))
            let fault = "\(plate.watched.path)/01_B1_f0.tiff,\(plate.out.path)/01/masks/01_B1_f0.mask.tiff,1,"
            #expect(labels[1].hasPrefix(fault))
            #expect(labels[1].contains("\"a \"\"bubble\"\", really\""))
            #expect(labels[2].hasPrefix("\(plate.watched.path)/01_B1_f1.tiff,,0,"))
            let model = plate.folder.appending(path: "new.safetensors").path
            _ = try await run(
                ["calibrate", Program.model, "--from", plate.out.path, "--out", model, "--threads", "1"],
                plate
            )
            #expect(FileManager.default.fileExists(atPath: model))
        }
    }

    @Test func aCalibrationThatMissesTrueFaultsIsNotWritten() async throws {
        try await withReviewedPlate { plate in
            // Two frames with the same fault as the true one are called normal, and insisted on.
            try decide(plate, 2, .falseAlarm, by: "Ada")
            let model = plate.folder.appending(path: "new.safetensors").path
            let arguments = [
                "calibrate", Program.model, "--from", plate.out.path, "--out", model, "--threads", "1",
            ]
            let program = try Program(arguments + ["--keep-outliers", "--copies", "0"], in: plate.folder)
            #expect(try await program.end() == 1, "\(program.said)")
            #expect(
                program.said.contains("would find 0 of 1 true faults that were flagged; nothing is written")
            )
            #expect(!FileManager.default.fileExists(atPath: model))
        }
    }

    @Test func whereReviewersDisagreeNothingIsFittedToAFrame() async throws {
        try await withReviewedPlate { plate in
            try decide(plate, 0, .fault, by: "Bob")
            try decide(plate, 1, .fault, by: "Bob")
            let labels = try Program(["export", plate.out.path, "--labels"], in: plate.folder)
            #expect(try await labels.end() == 0)
            #expect(labels.table.map { $0["frame"] } == ["0"] && labels.table[0]["reviewer"] == "Ada; Bob")
            #expect(labels.said.contains("1 frames that reviewers disagree on are no label"))
            let wells = try Program(["export", plate.out.path, "--wells", "--well", "B1"], in: plate.folder)
            #expect(try await wells.end() == 0)
            #expect(wells.table.map { $0["flagged"] } == ["3"], "the disputed frame counts as faulty")
        }
    }

    @Test func usableFramesAreTold() async throws {
        try await withReviewedPlate { plate in
            let out = plate.out.path
            let usable = try await run(
                ["export", out, "--usable", "--shortest", "1", "--bridge", "0"],
                plate
            )
            let rows = usable.split(separator: "\n")
            #expect(rows.first == "run,well,field,channel,plane,first,last,frames,seconds")
            #expect(rows.contains { $0.hasPrefix("\"01\",A01,,,,0,2,3,") })
            #expect(
                rows.filter { $0.hasPrefix("\"01\",B01,") }.map { $0.prefix(20) } == [
                    "\"01\",B01,,,,1,1,1,0."
                ],
                "the false alarm is usable, the true fault and the one that nobody is sure of are not"
            )
            let stacks = plate.folder.appending(path: "stacks")
            _ = try await run(["export", out, "--stacks", stacks.path, "--shortest", "1"], plate)
            let lists = try FileManager.default.contentsOfDirectory(atPath: stacks.path + "/01").sorted()
            #expect(lists == ["A01_0-2.txt", "A02_0-2.txt", "B01_1-1.txt"])
            let list = try String(contentsOf: stacks.appending(path: "01/A01_0-2.txt"), encoding: .utf8)
            #expect(list == (0..<3).map { "\(plate.watched.path)/01_A1_f\($0).tiff\n" }.joined())
            let wells = try await run(["export", out, "--wells", "--jsonl", "--well", "B1"], plate)
            let row = try JSONSerialization.jsonObject(with: Data(wells.utf8)) as? [String: Any]
            #expect(row?["verdict"] as? String == "not" && row?["flagged"] as? Int == 2)
            #expect(row?["first_flagged"] as? Int == 0 && row?["last_flagged"] as? Int == 2)
        }
    }

    @Test func scoreAndExportHaveTheSameTable() async throws {
        try await withReviewedPlate { plate in
            let masks = plate.folder.appending(path: "masks").path
            func rows(_ arguments: [String]) async throws -> [[String: String]] {
                let program = try Program(arguments, in: plate.folder)
                #expect(try await program.end() == 0, "\(program.said)")
                return program.table
            }
            let exported = try await rows(["export", plate.out.path])
            let scored = try await rows(
                ["score", "--model", Program.model, "--masks", masks, plate.watched.path]
            )
            #expect(exported.count == 9 && scored.count == 9)
            // What the daemon alone knows: the well's past, and when.
            let own: Set = ["mask", "well_faulty", "change", "arrival", "evidence", "completed", "judged"]
            for row in scored {
                let same = try #require(exported.first { $0["file"] == row["file"] })
                #expect(row.filter { !own.contains($0.key) } == same.filter { !own.contains($0.key) })
                let mask = try #require(row["mask"])
                #expect(mask.hasPrefix("/") && FileManager.default.fileExists(atPath: mask))
            }
            let kept = exported.compactMap { $0["mask"] }.filter { !$0.isEmpty }
            #expect(kept.count == 3 && kept.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        }
    }

    @Test func anUnknownRunOrWellIsNamedWithTheKnownOnes() async throws {
        try await withReviewedPlate { plate in
            for (arguments, words) in [
                (["export", plate.out.path, "--run", "02"], "there is no run 02; the runs are 01"),
                (["export", plate.out.path, "--usable", "--well", "H12"], "the wells are A01, A02, B01"),
                (["rejudge", plate.out.path, "--threshold", "1", "--run", "1"], "the runs are 01"),
                (["review", plate.out.path, "--html", "x.html", "--run", "1"], "the runs are 01"),
                (["tail", plate.out.path, "--once", "--run", "1"], "the runs are 01"),
                (["tail", plate.out.path, "--once", "--well", "C1"], "the wells are A01, A02, B01"),
            ] {
                let program = try Program(arguments, in: plate.folder)
                #expect(try await program.end() == 1)
                #expect(program.said.contains(words), "\(program.said)")
            }
        }
    }

    @Test func aReviewIsOneFileThatNeedsNothingElse() async throws {
        try await withReviewedPlate { plate in
            let file = plate.folder.appending(path: "review.html")
            _ = try await run(["review", plate.out.path, "--run", "01", "--html", file.path], plate)
            let html = try String(contentsOf: file, encoding: .utf8)
            #expect(html.contains("all is accounted for"))
            #expect(html.contains("data:image/png;base64,"))
            #expect(!html.contains("<script") && !html.contains("http://") && !html.contains("https://"))
            #expect(html.contains("<tr id=\"B01\""))
        }
    }

    @Test func aReviewIsPrintedWhereABrowserIsInstalled() async throws {
        try await withReviewedPlate { plate in
            let file = plate.folder.appending(path: "review.pdf")
            let program = try Program(["review", plate.out.path, "--pdf", file.path], in: plate.folder)
            let status = try await program.end()
            if status == 0 {
                #expect(try Data(contentsOf: file).starts(with: Data("%PDF-".utf8)))
            } else {
                #expect(
                    program.said.contains("--pdf needs Chromium or Chrome; install one"),
                    "\(program.said)"
                )
            }
        }
    }

    @Test func pathsThatCannotBeWrittenAreToldInWords() async throws {
        try await withReviewedPlate { plate in
            let (out, folder) = (plate.out.path, plate.folder.path)
            for (arguments, path) in [
                (["review", out, "--html", "\(folder)/absent/a.html"], "\(folder)/absent"),
                (["review", out, "--pdf", folder], "\(folder)"),
                (["export", out, "--label-images", "/dev/null/a"], "/dev/null/a"),
                (["export", out, "--stacks", folder], "\(folder): is not empty; name a new folder"),
                (["export", out, "--stacks", "/dev/null/a"], "/dev/null/a: the folder cannot be made"),
                (["export", out, "--ome-zarr", "/dev/null/a"], "/dev/null/a"),
            ] {
                let program = try Program(arguments, in: plate.folder)
                #expect(try await program.end() == 1, "\(arguments)")
                #expect(program.said.contains(path) && !program.said.contains("NSCocoa"), "\(program.said)")
            }
        }
    }

    @Test func anExportThatLacksFramesOrMasksDoesNotPassForWhole() async throws {
        try await withReviewedPlate { plate in
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B1_f1.tiff"))
            try FileManager.default.removeItem(at: plate.out.appending(path: "01/masks/01_B1_f2.mask.tiff"))
            for (option, told) in [
                ("--ome-zarr", "1 frames whose files are gone"), ("--label-images", "1 masks"),
            ] {
                let folder = plate.folder.appending(path: String(option.dropFirst(2))).path
                let program = try Program(["export", plate.out.path, option, folder], in: plate.folder)
                #expect(try await program.end() == 1)
                #expect(program.said.contains(told), "\(program.said)")
            }
        }
    }
}
