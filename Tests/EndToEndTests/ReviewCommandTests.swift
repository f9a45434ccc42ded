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
            let log = DecisionLog(OutputTree(root: plate.out.path))
            let well = try #require(Well("B1"))
            for (frame, kind) in [(0, Decision.Kind.fault), (1, .falseAlarm), (2, .unsure)] {
                try log.add(
                    Decision(
                        run: "01",
                        well: well,
                        frame: frame,
                        kind: kind,
                        note: "a \"bubble\",\nreally",
                        reviewer: "Ada",
                        decided: Timestamp(nanoseconds: 1_795_341_601_000_000_000)
                    )
                )
            }
            try await body(plate)
        }
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
            let wells = try await run(["export", out, "--wells", "--jsonl", "--well", "B1"], plate)
            let row = try JSONSerialization.jsonObject(with: Data(wells.utf8)) as? [String: Any]
            #expect(row?["verdict"] as? String == "not" && row?["flagged"] as? Int == 2)
            #expect(row?["first_flagged"] as? Int == 0 && row?["last_flagged"] as? Int == 2)
        }
    }

    @Test func anUnknownRunOrWellIsNamedWithTheKnownOnes() async throws {
        try await withReviewedPlate { plate in
            for (arguments, words) in [
                (["export", plate.out.path, "--run", "02"], "there is no run 02; the runs are 01"),
                (["export", plate.out.path, "--usable", "--well", "H12"], "the wells are A01, A02, B01"),
                (["rejudge", plate.out.path, "--threshold", "1", "--run", "1"], "the runs are 01"),
                (["review", plate.out.path, "--html", "x.html", "--run", "1"], "the runs are 01"),
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
