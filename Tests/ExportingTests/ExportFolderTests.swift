import Exporting
import Foundation
import TestSupport
import Testing

/// What happens to the folder of an export that was not finished.
struct ExportFolderTests {
    /// Begins an export as a process does that is killed then: what it holds goes.
    private func begin(_ path: String, _ parts: [String]) throws -> String {
        "\(try ExportFolder(path, parts: parts).begun)"
    }

    private func refusal(_ body: () throws -> Void) throws -> String {
        let error = #expect(throws: (any Error).self) { try body() }
        return try #require(error.map { "\($0)" })
    }

    @Test func theSameExportGoesOnAndAnotherDoesNot() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "export").path
            let begun = try begin(path, ["rois", "01", "7"])
            #expect(try begin(path, ["rois", "01", "7"]) == begun, "documents keep their time")
            let sentence = try refusal { _ = try begin(path, ["rois", "01", "8"]) }
            #expect(sentence.contains("the results have changed since"))
            try ExportFolder(path, parts: ["rois", "01", "7"]).finish()
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test func twoDoNotWriteTheSameFolderAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "export").path
            let first = try ExportFolder(path, parts: ["rois"])
            let sentence = try refusal { _ = try ExportFolder(path, parts: ["rois"]) }
            #expect(sentence.contains("another autoqc writes this export"))
            try first.finish()
        }
    }

    @Test func aFolderOfSomethingElseIsLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            try Data().write(to: folder.appending(path: "notes.txt"))
            let sentence = try refusal { _ = try ExportFolder(folder.path, parts: ["rois"]) }
            #expect(sentence.contains("is not empty; name a new folder"))
        }
    }
}
