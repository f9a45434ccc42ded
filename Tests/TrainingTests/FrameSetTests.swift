import Foundation
import Frames
import Plate
import TestSupport
import Testing
import Training

struct FrameSetTests {
    @Test func foldersGlobsAndListsNameFrames() async throws {
        try await withTemporaryFolder { folder in
            let below = folder.appending(path: "sub folder")
            try FileManager.default.createDirectory(at: below, withIntermediateDirectories: true)
            let paths = try TinyFrames.write(2, to: folder) + TinyFrames.write(1, to: below)
            try Data().write(to: folder.appending(path: "notes.txt"))
            try Data().write(to: folder.appending(path: ".hidden.tiff"))
            #expect(try Set(FramePaths.normal([folder.path])) == Set(paths))
            #expect(try FramePaths.normal([folder.path + "/*_f1.tiff"]) == [paths[1]])
            #expect(try FramePaths.normal([paths[0], paths[0]]) == [paths[0]])
            let list = folder.appending(path: "list.csv")
            let text = "img_path,seg_path,label\n01_A1_f0.tiff,,0\n\"01_A1_f1.tiff\",mask.tiff,1\n"
            try Data(text.utf8).write(to: list)
            #expect(try FramePaths.normal([list.path]) == [paths[0]])
            let rows = try FramePaths.labelled(csv: list.path)
            #expect(rows.map(\.isFaulty) == [false, true])
            #expect(rows[1].mask == folder.appending(path: "mask.tiff").path)
        }
    }

    @Test func wrongListsNameTheRow() async throws {
        try await withTemporaryFolder { folder in
            let list = folder.appending(path: "list.csv").path
            for (text, expected) in [
                ("path,label\na.tiff,0\n", "img_path"),
                ("img_path,seg_path,label\na.tiff,,0\nb.tiff,,x\n", "row 3"),
                ("img_path,seg_path,label\na.tiff,0\n", "row 2"), ("", "img_path"),
            ] {
                try Data(text.utf8).write(to: URL(filePath: list))
                let error = #expect(throws: DataError.self) { try FramePaths.labelled(csv: list) }
                #expect(error?.description.contains(expected) == true, "\(text)")
            }
            let missing = #expect(throws: DataError.self) {
                try FramePaths.normal([folder.path + "/no/*.tif"])
            }
            #expect(missing?.description.contains("/no/*.tif") == true)
        }
    }

    @Test func emptyMixedAndDamagedSetsAreToldApart() async throws {
        try await withTemporaryFolder { folder in
            let paths = try TinyFrames.write(3, to: folder)
            let damaged = folder.appending(path: "damaged.tiff").path
            try Data("not a TIFF".utf8).write(to: URL(filePath: damaged))
            let frames = try FrameSet(paths: paths + [damaged])
            #expect(frames.count == 3)
            #expect(frames.unreadable.count == 1)

            let empty = #expect(throws: DataError.self) { try FrameSet(paths: [damaged]) }
            #expect(empty?.description.contains("damaged.tiff") == true)

            let other = folder.appending(path: "other.tiff").path
            try TIFFWriter.write(TinyFrames.frame(seed: 1, height: 64, width: 64), to: other)
            let mixed = #expect(throws: DataError.self) { try FrameSet(paths: paths + [other]) }
            #expect(mixed?.description.contains("3 of 112 x 96, 1 of 64 x 64") == true)
        }
    }

    @Test func everyTenthFrameIsHeldOut() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(12, to: folder))
            let (rest, apart) = frames.split(every: 10)
            #expect((rest.count, apart.count) == (11, 1))
            let few = try FrameSet(paths: try TinyFrames.write(2, to: folder)).split(every: 10)
            #expect((few.rest.count, few.apart.count) == (1, 1))
            let one = try FrameSet(paths: try TinyFrames.write(1, to: folder)).split(every: 10)
            #expect((one.rest.count, one.apart.count) == (1, 1))
        }
    }
}
