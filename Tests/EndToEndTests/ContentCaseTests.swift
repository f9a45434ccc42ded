import Foundation
import Frames
import Plate
import TestSupport
import Testing

/// Files as other programs write them, through the commands: `../shared/cases` says how each came about.
///
/// `N` is a normal frame and `F` a faulty one, which is the last of every stack; `?` has no verdict.
@Suite(.enabled(if: TestData.cases != nil, "\(TestData.missingCases)"), .serialized)
struct ContentCaseTests {
    /// The verdicts on the frames of each file.
    static let expected = [
        "control/ctl_A01_f1.tiff": "N", "control/ctl_B01_f1.tiff": "F",
        // One directory, the other plane behind its pixels.
        "c01/c01_A01_f1.tif": "NF",
        // A palette that is a ramp of greys, and one that is not.
        "c03/c03_A01_f1.tif": "N", "c03/c03_A02_f1.tif": "?",
        // Small negative values.
        "c05/c05_A01_f1.tif": "N",
        "c06/c06_A01_f1.tif": "N",
        // Two channels of three times; three z-planes.
        "c07/c07_A02_f1.tif": "NNN", "c07/c07_A03_f1.tif": "N",
        // Thumbnails among the pages.
        "c08/c08_A01_f1.tif": "NNF",
        // A recording that broke off: one line for what never came.
        "c18/c18_A01_f1.tif": "NF?",
        "c25/c25_A01_f1.tif": "N", "c25/c25_A02_f1.tif": "N", "c25/c25_A03_f1.tif": "N",
        "c25/c25_A04_f1.tif": "N", "c25/c25_A05_f1.tif": "N",
        "c26/c26_A01_f1.tif": "?",
        "c27/c27_A01_f1.tif": "N", "c27/c27_A03_f1.tif": "N", "c27/c27_A05_f1.tif": "N",
    ]

    private static var files: URL? { TestData.cases?.appending(path: "files") }

    private static func sign(_ verdict: String?) -> String {
        switch verdict {
        case "normal": "N"
        case "faulty": "F"
        default: "?"
        }
    }

    private func run(_ arguments: [String], in folder: URL) async throws -> (
        status: Int32, said: String, rows: [[String: String]]
    ) {
        let program = try Program(arguments, in: folder)
        let status = try await program.end()
        return (status, program.said, program.table)
    }

    private func score(_ names: [String], _ more: [String] = [], in folder: URL) async throws -> (
        status: Int32, said: String, verdicts: [String: String], severities: [String: [String]]
    ) {
        let files = try #require(Self.files)
        let paths = names.map { files.appending(path: $0).path }
        let result = try await run(["score", "--model", Program.model] + more + paths, in: folder)
        var (verdicts, severities): ([String: String], [String: [String]]) = ([:], [:])
        for row in result.rows {
            let name = (row["file"] ?? "").split(separator: "/").suffix(2).joined(separator: "/")
            verdicts[name, default: ""] += Self.sign(row["verdict"])
            severities[name, default: []].append(row["severity"] ?? "")
        }
        return (result.status, result.said, verdicts, severities)
    }

    @Test func scoreJudgesEveryFrameOfEveryFile() async throws {
        try await withTemporaryFolder { folder in
            let result = try await score(Self.expected.keys.sorted(), in: folder)
            #expect(result.verdicts == Self.expected)
            #expect(result.status == 65)
            // What was decided without being asked, and why something has no verdict.
            for sentence in [
                "c07_A02_f1.tif: there are 2 channels (BF, GFP), and the first is judged",
                "c07_A03_f1.tif: there are 3 z-planes, and the middle one, 2, is judged",
                "c18_A01_f1.tif: the directory at byte", "has not been written yet",
                "c03_A02_f1.tif: page 0 is coloured by a palette; convert it to grey",
                "c26_A01_f1.tif: page 0 holds values that are not finite",
            ] { #expect(result.said.contains(sentence), "\(sentence)\n\(result.said)") }
            // However the directory is wrong, the pixels are the same.
            let strips = (1...5).map { result.severities["c25/c25_A0\($0)_f1.tif"] }
            #expect(Set(strips).count == 1)
            let control = result.severities["control/ctl_A01_f1.tiff"]
            for name in [
                "c03/c03_A01_f1.tif", "c06/c06_A01_f1.tif", "c27/c27_A01_f1.tif", "c27/c27_A03_f1.tif",
            ] {
                #expect(result.severities[name] == control, "\(name)")
            }
        }
    }

    /// Frames of more bits are judged, with a loud word on the grey scale that the model knows.
    @Test(arguments: ["c04/c04_A01_f1.tif", "c05/c05_A02_f1.tif", "c06/c06_A02_f1.tif", "c06/c06_A04_f1.tif"])
    func anotherGreyScaleIsToldLoudly(name: String) async throws {
        try await withTemporaryFolder { folder in
            let result = try await score([name], in: folder)
            #expect(result.status == 0 && result.verdicts[name]?.count == 1)
            #expect(result.said.contains("far brighter than those that the model was calibrated on"))
            #expect(result.said.contains("autoqc calibrate"))
        }
    }

    @Test func channelAndPlaneAreChosen() async throws {
        try await withTemporaryFolder { folder in
            let (channels, planes) = ("c07/c07_A02_f1.tif", "c07/c07_A03_f1.tif")
            for name in ["2", "gfp"] {
                let dark = try await score([channels], ["--channel", name], in: folder)
                #expect(dark.verdicts[channels] == "FFF" && !dark.said.contains("choose"))
            }
            let middle = try await score([planes], in: folder)
            let first = try await score([planes], ["--plane", "1"], in: folder)
            #expect(
                first.verdicts[planes]?.count == 1 && first.severities[planes] != middle.severities[planes]
            )
            let all = try await score([planes], ["--plane", "time"], in: folder)
            #expect(all.verdicts[planes]?.count == 3)
            let none = try await score([channels], ["--channel", "DAPI"], in: folder)
            #expect(none.status == 65 && none.said.contains("no channel DAPI among its 2 channels (BF, GFP)"))
        }
    }

    /// The daemon's verdicts, and what goes back to the frames later.
    @Test func theDaemonJudgesEveryFrameAndFindsItAgain() async throws {
        let files = try #require(Self.files)
        try await withTemporaryFolder { folder in
            let names = Self.expected.keys.filter { !$0.hasPrefix("c18") && !$0.hasPrefix("c25") }
            let watched = folder.appending(path: "in")
            for name in names {
                let target = watched.appending(path: name)
                try FileManager.default.createDirectory(
                    at: target.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try FileManager.default.copyItem(at: files.appending(path: name), to: target)
            }
            let plate = try TestPlate(in: folder)
            let watching = [
                "watch", "--once", "--model", Program.model, "--out", plate.out.path, watched.path,
            ]
            let watch = try await run(watching, in: folder)
            #expect(watch.status == 0, "\(watch.said)")
            #expect(watch.said.contains("Files have several channels or z-planes, and none was chosen"))
            var found: [String: [(frame: Int, sign: String)]] = [:]
            for record in try plate.records() {
                let sign = Self.sign(record.judgement?.verdict.rawValue)
                found[record.source.path, default: []].append((record.frame?.index ?? 0, sign))
            }
            for name in names {
                let rows = found[name, default: []].sorted { $0.frame < $1.frame }
                #expect(rows.map(\.sign).joined() == Self.expected[name], "\(name)")
                // Frames count on from the name's, without gaps.
                #expect(rows.map(\.frame) == Array(1..<1 + rows.count), "\(name)")
            }
            let judged = try plate.records().count { $0.state == .judged }
            let again = try await run(["rejudge", "--model", Program.model, plate.out.path], in: folder)
            #expect(again.status == 0)
            #expect(again.said.contains("\(judged) frames: 0 turn faulty, 0 turn normal"), "\(again.said)")
            let zarr = folder.appending(path: "zarr").path
            let export = ["export", plate.out.path, "--ome-zarr", zarr, "--run", "c01"]
            let exported = try await run(export, in: folder)
            #expect(exported.status == 0 && exported.said.contains("2 frames"), "\(exported.said)")
        }
    }

    /// Training takes the same frames.
    @Test func trainingCountsTheSameFrames() async throws {
        let files = try #require(Self.files)
        try await withTemporaryFolder { folder in
            let model = folder.appending(path: "model.safetensors")
            let names = [
                "c01/c01_A01_f1.tif", "c07/c07_A02_f1.tif", "c07/c07_A03_f1.tif", "c08/c08_A01_f1.tif",
            ]
            let paths = names.map { files.appending(path: $0).path }
            let program = try Program(["train", "--out", model.path, "--normal"] + paths, in: folder)
            // Two, three, one and three.
            try await until("the frames are counted", by: program) {
                program.said.contains("9 normal frames of 1280 x 800")
            }
            #expect(program.said.contains("there are 2 channels (BF, GFP)"))
            program.signal(SIGKILL)
            _ = try await program.end()
        }
    }
}
