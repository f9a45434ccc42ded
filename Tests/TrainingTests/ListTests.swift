import Foundation
import TestSupport
import Testing

@testable import Training

/// Lists as spreadsheets write them.
struct ListTests {
    private func write(_ text: String, to folder: URL, _ encoding: String.Encoding = .utf8) throws -> String {
        let list = folder.appending(path: "list.csv")
        try #require(text.data(using: encoding)).write(to: list)
        return list.path
    }

    @Test(arguments: [
        ("TRUE", true), ("false", false), ("WAHR", true), ("Falsch", false), ("VRAI", true), ("1,0", true),
        ("0.0", false), ("faulty", true), ("normal", false), ("ЛОЖЬ", false), ("FAŁSZ", false),
    ])
    func labelsMayBeWords(label: String, isFaulty: Bool) async throws {
        try await withTemporaryFolder { folder in
            let list = try write("img_path;label\na.tif;\(label)\n", to: folder, .utf16)
            #expect(try FramePaths.labelled(csv: list).map(\.isFaulty) == [isFaulty])
        }
    }

    @Test func backslashesAreSlashesUnlessAFileIsNamedSo() async throws {
        try await withTemporaryFolder { folder in
            let frames = folder.appending(path: "frames")
            try FileManager.default.createDirectory(at: frames, withIntermediateDirectories: true)
            for name in ["frames/a.tif", "odd\\name.tif"] {
                try Data().write(to: folder.appending(path: name))
            }
            let list = try write(
                "img_path,label\nframes\\a.tif,0\nodd\\name.tif,0\nframes\\gone.tif,0\n",
                to: folder
            )
            #expect(
                try FramePaths.labelled(csv: list).map(\.image)
                    == ["frames/a.tif", "odd\\name.tif", "frames/gone.tif"].map { "\(folder.path)/\($0)" }
            )
        }
    }

    @Test func forTrainingPathsAloneAreEnough() async throws {
        try await withTemporaryFolder { folder in
            let list = try write("IMG_PATH\na.tif\nb.tif\n", to: folder)
            #expect(try FramePaths.normal([list]).count == 2)
            let error = #expect(throws: DataError.self) { try FramePaths.labelled(csv: list) }
            #expect(error?.description.contains("img_path and label; it has 'IMG_PATH'") == true)
        }
    }

    /// As the published system takes it; but the user hears of it.
    @Test(arguments: [
        ("img_path\na.tif\nb.tif\n", 2, 2), ("img_path,label\na.tif,\nb.tif,1\n", 1, 1),
        ("img_path,label\na.tif,0\nb.tif,1\n", 1, 0),
    ])
    func framesWithoutALabelAreNormal(text: String, normal: Int, unlabelled: Int) async throws {
        try await withTemporaryFolder { folder in
            let list = try write(text, to: folder)
            var notes: [String] = []
            #expect(try FramePaths.normal([list], note: { notes.append($0) }).count == normal)
            #expect(notes.count == (unlabelled > 0 ? 1 : 0))
            #expect(notes.allSatisfy { $0.contains("\(unlabelled) of 2 frames have no label") })
            let labels = try LabelledList(csv: list, needsLabels: false).rows.map(\.isFaulty)
            #expect(labels.count { !$0 } == normal)
        }
    }

    @Test func pathsRelativeToTheWorkingDirectoryAreFound() async throws {
        try await withTemporaryFolder { folder in
            let name = "autoqc-list-\(UUID().uuidString).tif"
            let here = FileManager.default.currentDirectoryPath
            try Data().write(to: URL(filePath: here).appending(path: name))
            defer { try? FileManager.default.removeItem(atPath: "\(here)/\(name)") }
            let list = try write("img_path,label\n\(name),0\ngone.tif,0\n", to: folder)
            let images = try FramePaths.labelled(csv: list).map(\.image)
            #expect(images.map { $0.hasSuffix("/\(name)") } == [true, false])
            #expect(FileManager.default.fileExists(atPath: images[0]))
            // What is nowhere is named where it should be.
            #expect(images[1] == "\(folder.path)/gone.tif")
        }
    }

    @Test func emptyRowsAndColumnsOfASpreadsheetDoNotCount() async throws {
        try await withTemporaryFolder { folder in
            let list = try write("img_path;label\na.tif;0;;\n;;;\n; ;\nb.tif;1\n", to: folder)
            #expect(try FramePaths.labelled(csv: list).map(\.isFaulty) == [false, true])
        }
    }

    @Test(arguments: [
        ("Bild;Urteil\na;0\n", "'Bild', 'Urteil' (read as UTF-8, with ';' between fields)"),
        ("img_path,label\na.tif,maybe\n", "the label is 'maybe'"),
        ("img_path,label\nD:\\data\\a.tif,0\n", "a path of Windows"),
        ("img_path,label\na,b.tif,0\n", "3 fields, and the first line has 2"),
        ("img_path,label\n\"a\"b.tif,0\n", "row 2: text follows a closing quote"),
        ("PK\u{03}\u{04}rest", "is a workbook"), ("\n\n", "the file is empty"),
    ])
    func whatIsWrongIsNamed(text: String, words: String) async throws {
        try await withTemporaryFolder { folder in
            let list = try write(text, to: folder)
            let error = #expect(throws: DataError.self) { try FramePaths.labelled(csv: list) }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }

    @Test func bracketsInTheNameOfAFolderAreNoPattern() async throws {
        try await withTemporaryFolder { folder in
            let plate = folder.appending(path: "plate [1] {x}")
            try FileManager.default.createDirectory(at: plate, withIntermediateDirectories: true)
            for name in ["a.tif", "b.tif"] { try Data().write(to: plate.appending(path: name)) }
            #expect(try FramePaths.all([plate.path]).count == 2)
            #expect(try FramePaths.all([plate.path + "/*.tif"]).count == 2)
            #expect(try FramePaths.all([plate.path + "/a.tif"]).count == 1)
        }
    }

    @Test func twoSpellingsOfAnAccentAreTwoFrames() async throws {
        try await withTemporaryFolder { folder in
            for name in ["\u{E9}.tif", "e\u{301}.tif"] { try Data().write(to: folder.appending(path: name)) }
            #expect(try FramePaths.all([folder.path]).count == 2)
            let list = try write("img_path\n\u{E9}.tif\ne\u{301}.tif\n\u{E9}.tif\n", to: folder)
            #expect(try FramePaths.all([list]).count == 2)
        }
    }

    @Test func aNameThatIsNoUTF8IsNamed() async throws {
        try await withTemporaryFolder { folder in
            let bytes = Array("\(folder.path)/a".utf8) + [0xFF] + Array(".tif".utf8) + [0]
            let path = bytes.map { CChar(bitPattern: $0) }
            let descriptor = unsafe open(path, O_CREAT | O_WRONLY, 0o644)
            try #require(descriptor >= 0)
            close(descriptor)
            let error = #expect(throws: DataError.self) { try FramePaths.all([folder.path]) }
            #expect(error?.description.contains("not UTF-8") == true)
        }
    }
}
