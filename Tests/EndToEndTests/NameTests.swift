import Foundation
import Frames
import Ledger
import Plate
import TestSupport
import Testing

/// Names, identities and lists of other software, through the built program.
@Suite(.serialized) struct NameTests {
    private static let files = TestData.cases?.appending(path: "files")

    private func run(_ arguments: [String], in folder: URL, status: Int32 = 0) async throws -> Program {
        let program = try Program(arguments, in: folder)
        #expect(try await program.end() == status, "\(program.said)")
        return program
    }

    private func watch(_ plate: TestPlate, _ more: [String] = [], folder: URL? = nil) async throws
        -> [FrameRecord]
    {
        let watched = folder ?? plate.watched
        _ = try await run(
            [
                "watch", "--model", Program.model, "--out", plate.out.path, "--threads", "1", "--once",
                watched.path,
            ]
                + more,
            in: plate.folder
        )
        return try plate.records()
    }

    @Test(
        .enabled(if: files != nil, Comment(rawValue: TestData.missingCases)),
        arguments: [
            ("phenix", "phenix B03_s1_z1_c1 f1"), ("imagexpress", "plate A01_s1_c1 f1"),
            ("incell", "incell A01_s1_z3_cUV - DAPI f2"), ("incucyte", "VID1234 A01_s1 f480"),
            ("yokogawa", "plate A01_s1_z1_c01 f1"), ("micromanager", "micromanager A01_s0 f0"),
        ]
    )
    func theDaemonJudgesTheFramesOfOtherSystems(pattern: String, expected: String) async throws {
        let files = try #require(Self.files).appending(path: "c14/\(pattern)")
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let records = try await watch(plate, ["--pattern", pattern], folder: files)
            let judged = records.filter { $0.state == .judged }
            #expect(judged.compactMap(\.frame).map { "\($0.run) \($0.place) f\($0.index)" } == [expected])
            #expect(records.count == 1, "a thumbnail is passed over")
            let audit = try await run(["audit", plate.out.path], in: folder)
            #expect(audit.printed.contains("1"))
        }
    }

    @Test(.enabled(if: files != nil, Comment(rawValue: TestData.missingCases)))
    func spacesAndBracketsAreNoHindrance() async throws {
        let files = try #require(Self.files).appending(path: "c14")
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let records = try await watch(plate, folder: files.appending(path: "spaces"))
            #expect(Set(records.compactMap(\.frame?.run)) == ["My Plate 1", "plate(2)", "01"])
            #expect(records.allSatisfy { $0.state == .judged })
            _ = try await run(["audit", plate.out.path], in: folder)
            _ = try await run(
                ["review", plate.out.path, "--run", "My Plate 1", "--html", "\(folder.path)/r.html"],
                in: folder
            )
        }
    }

    @Test(.enabled(if: files != nil, Comment(rawValue: TestData.missingCases)))
    func copiesAndTemporaryFilesAreNoFrames() async throws {
        let files = try #require(Self.files).appending(path: "c14/hidden")
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let records = try await watch(plate, folder: files)
            let judged = records.filter { $0.state == .judged }.map(\.source.path)
            #expect(Set(judged) == ["01_AA12_f1.tif", "01_a1_f2.TIF"])
            let skipped = records.filter { $0.state == .skipped }.map { ExactPath($0.source.path).name }
            #expect(Set(skipped) == ["Thumbs.db", "01_A01_f1 (1).tiff", "01_A01_f1 - Copy.tiff"])
        }
    }

    @Test func framesThatFitNoPatternAreToldThoughOtherFilesCameFirst() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            for name in ["Thumbs.db", ".DS_Store", "._x.tif"] {
                try Data("x".utf8).write(to: plate.watched.appending(path: name))
            }
            let program = try Program(plate.watchArguments, in: folder)
            try await until("the first listing is done") { program.said.contains("first listing") }
            for index in 1...3 { try plate.add("r01c01f\(index)p01-ch1sk1fk1fl1.tiff") }
            try await until("the names are reported", by: program) {
                program.said.contains("may be frames") && program.said.contains("r01c01f")
            }
            try await until("all are recorded", by: program) { plate.counts()[.skipped] == 4 }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            let counts = program.said.split(separator: "\n").filter { $0.contains("may be frames") }
                .compactMap { $0.firstMatch(of: #/count=(\d+)/#).flatMap { Int($0.1) } }
            #expect(counts.reduce(0, +) == 3, "\(program.said)")
            let doctor = try await run(
                ["doctor", "--model", Program.model, "--out", plate.out.path, plate.watched.path],
                in: folder,
                status: 1
            )
            #expect(doctor.printed.contains("`pattern: phenix`"))
            #expect(doctor.printed.contains("well A01, field 3, channel 1, plane 1, frame 1"))
        }
    }

    @Test(.enabled(if: files != nil, Comment(rawValue: TestData.missingCases)))
    func oneNameInSeveralFoldersIsSeveralFramesEverywhere() async throws {
        let files = try #require(Self.files).appending(path: "c24")
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let records = try await watch(plate, folder: files)
            #expect(records.count == 3 && records.allSatisfy { $0.state == .judged })
            let faulty = records.filter { $0.judgement?.verdict == .faulty }
            #expect(
                Set(faulty.compactMap { $0.judgement?.maskPath }).count == faulty.count && faulty.count == 2
            )
            let faults = try plate.alarms(run: "01", well: "A01").filter { $0.contains("event=FAULT") }
            #expect(faults.count == 2)
            _ = try await run(["audit", plate.out.path], in: folder)

            let zarr = folder.appending(path: "plate.zarr")
            let export = try await run(["export", plate.out.path, "--ome-zarr", zarr.path], in: folder)
            #expect(export.said.contains("3 files say this frame"))
            let planes = try (0..<3).map { try chunk($0, of: 3, in: "\(zarr.path)/A/1/0/0") }
            #expect(Set(planes).count == 3)

            let labels = folder.appending(path: "labels")
            _ = try await run(["export", plate.out.path, "--label-images", labels.path], in: folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: labels.path + "/01").count == 2)
            #expect(try await run(["export", plate.out.path], in: folder).table.count == 3)

            let masks = folder.appending(path: "masks")
            let score = try await run(
                ["score", "--model", Program.model, "--threads", "1", "--masks", masks.path, files.path],
                in: folder
            )
            #expect(score.table.count == 3)
            #expect(try FileManager.default.contentsOfDirectory(atPath: masks.path).count == 3)
            let csv = folder.appending(path: "again.csv")
            let again = try await run(
                ["rejudge", plate.out.path, "--threshold", "1000000", "--frames", csv.path],
                in: folder
            )
            #expect(again.said.contains("3 frames: 0 turn faulty, 2 turn normal"))
            #expect(try String(contentsOf: csv, encoding: .utf8).split(separator: "\n").count == 4)
        }
    }

    @Test func aChannelIsChosenByNamesAsWell() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            for channel in 1...2 { try plate.add("r01c01f01p01-ch\(channel)sk1fk1fl1.tiff") }
            let chosen = ["--pattern", "phenix", "--channel", "2"]
            let records = try await watch(plate, chosen)
            #expect(records.filter { $0.state == .judged }.map(\.frame?.view.channel) == ["2"])
            #expect(records.filter { $0.state == .skipped }.count == 1)
            let score = try await run(
                ["score", "--model", Program.model, "--threads", "1"] + chosen + [plate.watched.path],
                in: folder
            )
            #expect(score.table.map { $0["channel"] } == ["2"])
        }
    }

    @Test(.enabled(if: files != nil, Comment(rawValue: TestData.missingCases)))
    func aFolderForEachTimeTellsTheTime() async throws {
        let files = try #require(Self.files).appending(path: "c24")
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let pattern = "TimePoint_{frame}/{run}_{well}_f{field}.tif<f>"
            let records = try await watch(plate, ["--pattern", pattern], folder: files)
            #expect(records.compactMap(\.frame).map(\.index).sorted() == [1, 2, 3])
            let zarr = folder.appending(path: "plate.zarr")
            let export = try await run(["export", plate.out.path, "--ome-zarr", zarr.path], in: folder)
            #expect(!export.said.contains("say this frame"))
        }
    }

    @Test func channelsOfAWellAreFramesOfTheirOwnInEveryExport() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            for time in 1...2 {
                for channel in ["BF", "UV - DAPI"] {
                    try plate.add("p_A01_\(channel)_t\(time).tif", faulty: channel != "BF")
                }
            }
            let records = try await watch(plate, ["--pattern", "{run}_{well}_{channel}_t{frame}.tif"])
            #expect(Set(records.compactMap(\.frame)).count == 4)
            let onsets = try plate.alarms(run: "p", well: "A01").filter { $0.contains("event=ONSET") }
            #expect(onsets.count == 1 && onsets[0].contains("channel=\"UV - DAPI\""))
            #expect(plate.names(in: "p/masks").filter { $0.hasSuffix(".tiff") }.count == 2)
            let rows = try await run(["export", plate.out.path], in: folder).table
            #expect(Set(rows.compactMap { $0["channel"] }) == ["BF", "UV - DAPI"])
            let zarr = folder.appending(path: "plate.zarr")
            _ = try await run(["export", plate.out.path, "--ome-zarr", zarr.path], in: folder)
            for image in 0...1 {
                #expect(try chunk(1, of: 2, in: "\(zarr.path)/A/1/\(image)/0") != nil)
            }
            let html = folder.appending(path: "r.html")
            _ = try await run(["review", plate.out.path, "--html", html.path], in: folder)
            #expect(try String(contentsOf: html, encoding: .utf8).contains("channel UV - DAPI"))
            _ = try await run(["audit", plate.out.path], in: folder)
        }
    }

    @Test func twoSpellingsOfAnAccentAreTwoFiles() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let names = ["Zu\u{308}rich_A1_f1.tiff", "Z\u{FC}rich_A1_f1.tiff"]
            for name in names { try plate.add(name, faulty: true) }
            let records = try await watch(plate)
            #expect(records.count == 2 && Set(records.map { ExactPath($0.source.path) }).count == 2)
            #expect(Set(records.compactMap { $0.judgement?.maskPath }).count == 2)
            let score = try await run(
                ["score", "--model", Program.model, "--threads", "1", plate.watched.path],
                in: folder
            )
            #expect(score.table.count == 2)
            _ = try await run(["audit", plate.out.path], in: folder)
        }
    }

    @Test func aNameThatIsNoTextIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let path = (Array("\(plate.watched.path)/01_A1_f1".utf8) + [0xFF] + Array(".tiff".utf8) + [0])
                .map { CChar(bitPattern: $0) }
            let descriptor = unsafe open(path, O_CREAT | O_WRONLY, 0o644)
            try #require(descriptor >= 0)
            close(descriptor)
            let records = try await watch(plate)
            #expect(records.map(\.state) == [.skipped])
            #expect(records[0].source.path.hasSuffix("01_A1_f1\\xff.tiff"))
            let score = try await run(
                ["score", "--model", Program.model, plate.watched.path],
                in: folder,
                status: 66
            )
            #expect(score.said.contains("not UTF-8"))
        }
    }

    @Test(.enabled(if: files != nil, Comment(rawValue: TestData.missingCases)))
    func listsOfSpreadsheetsAreRead() async throws {
        let folder = try #require(Self.files).appending(path: "c15")
        let lists = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".csv")
        }
        try #require(lists.count > 5)
        try await withTemporaryFolder { temporary in
            for list in lists {
                let score = try await run(
                    ["score", "--model", Program.model, "--threads", "2", folder.appending(path: list).path],
                    in: temporary
                )
                #expect(score.table.count >= 4 && !score.printed.contains("unreadable"), "\(list)")
            }
        }
    }

    /// Both say what they found before they compute.
    @Test func trainingAndCalibrationReadTheSameLists() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let name = "Bläschen, 1.tiff"
            try plate.data(faulty: false).write(to: folder.appending(path: name))
            let list = folder.appending(path: "list.csv")
            let good = "sep=;\r\nIMG_PATH\r\n\"\(name)\"\r\n"
            for encoding in [String.Encoding.utf8, .utf16, .windowsCP1252] {
                try #require(good.data(using: encoding)).write(to: list)
                let calibrate = try await run(
                    [
                        "calibrate", Program.model, "--normal", list.path, "--out",
                        "\(folder.path)/m.safetensors",
                    ],
                    in: folder,
                    status: 1
                )
                #expect(calibrate.said.contains("1 normal frame cannot tell"), "\(calibrate.said)")
            }
            try Data("Bild\tUrteil\na.tif\t0\n".utf8).write(to: list)
            for arguments in [
                ["train", "--normal", list.path, "--out", "\(folder.path)/n.safetensors"],
                ["calibrate", Program.model, "--normal", list.path],
            ] {
                let program = try await run(arguments, in: folder, status: 1)
                #expect(program.said.contains("img_path; it has 'Bild', 'Urteil'"), "\(program.said)")
            }
        }
    }
}
