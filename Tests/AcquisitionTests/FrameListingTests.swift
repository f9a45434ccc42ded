import Acquisition
import Foundation
import Plate
import TestSupport
import Testing

struct FrameListingTests {
    /// A plate with frames, and with what a watcher leaves alone.
    private func makeTree(in folder: URL) throws -> URL {
        let root = folder.appending(path: "plate")
        for place in ["deep/er", ".hidden", "out", "elsewhere"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: place),
                withIntermediateDirectories: true
            )
        }
        let names = [
            "01_A1_f0.tif", "deep/er/01_A1_f1.TIFF", ".hidden/01_A1_f2.tif", "out/01_A1_f3.tif",
            "01_A1_f4.tif.part", "notes.txt",
        ]
        for name in names { try Data("x".utf8).write(to: root.appending(path: name)) }
        try FileManager.default.createSymbolicLink(
            at: root.appending(path: "01_A1_f5.tif"),
            withDestinationURL: root.appending(path: "01_A1_f0.tif")
        )
        try FileManager.default.createSymbolicLink(
            at: root.appending(path: "way"),
            withDestinationURL: folder
        )
        return root
    }

    @Test func listsByTheWatchersRules() async throws {
        try await withTemporaryFolder { folder in
            let root = try makeTree(in: folder)
            let listing = FrameListing(
                roots: [root.path, folder.appending(path: "gone").path],
                pattern: try FramePattern(),
                excluded: [root.appending(path: "out").path]
            )
            var (frames, refused, missing): ([String], [String], [String]) = ([], [], [])
            listing.forEach { entry in
                switch entry {
                case .frame(let file): frames.append(file.source.path)
                case .refused(let path, _):
                    refused.append(path.split(separator: "/").last.map(String.init) ?? "")
                case .missing(let root): missing.append(root)
                }
            }
            #expect(frames.sorted() == ["01_A1_f0.tif", "deep/er/01_A1_f1.TIFF"])
            #expect(refused.sorted() == ["01_A1_f5.tif", "notes.txt", "way"])
            #expect(missing == [folder.appending(path: "gone").path])
        }
    }

    @Test func namesThatAreNoTextAreToldSafely() async throws {
        try await withTemporaryFolder { folder in
            let name: [CChar] =
                Array(folder.path.utf8CString.dropLast()) + [47, 97, -1, 46, 116, 105, 102, 0]
            let descriptor = unsafe creat(name, 0o644)
            try #require(descriptor >= 0)
            close(descriptor)
            var entries: [FrameListing.Entry] = []
            FrameListing(roots: [folder.path], pattern: try FramePattern()).forEach { entries.append($0) }
            #expect(
                entries == [.refused(path: "\(folder.path)/a\\xff.tif", reason: "the name is not UTF-8")]
            )
        }
    }
}
