import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct OutputFileTests {
    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func status(_ path: String) -> stat {
        var status = stat()
        _ = unsafe lstat(path, &status)
        return status
    }

    private func isKind(_ kind: mode_t, _ path: String) -> Bool { status(path).st_mode & S_IFMT == kind }

    @Test func replacesAPlainFileAndKeepsItsModeAndOwner() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "model").path
            try OutputFile.write(text: "old", to: path)
            #expect(unsafe chmod(path, 0o640) == 0)
            // Root may give files away, others keep theirs.
            let owner: uid_t = geteuid() == 0 ? 12_345 : geteuid()
            #expect(unsafe chown(path, owner, gid_t.max) == 0)
            let before = status(path)
            try OutputFile.write(text: "new", to: path)
            let after = status(path)
            #expect(try text(path) == "new")
            #expect(after.st_mode == before.st_mode)
            #expect(after.st_uid == owner)
            #expect(
                after.st_ino != before.st_ino,
                "the file was written in place: a crash would leave a half of it"
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model"])
        }
    }

    @Test func replacesTheTargetOfALink() async throws {
        try await withTemporaryFolder { folder in
            let elsewhere = folder.appending(path: "elsewhere")
            try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
            let target = elsewhere.appending(path: "model-7").path
            let link = folder.appending(path: "model").path
            #expect(unsafe symlink("elsewhere/model-7", link) == 0)
            // The target is not there yet, then it is.
            for content in ["first", "second"] {
                try OutputFile.write(text: content, to: link)
                #expect(isKind(S_IFLNK, link))
                #expect(try text(target) == content)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path) == ["model-7"])
        }
    }

    @Test func refusesLinksInACircle() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "a").path
            #expect(unsafe symlink("a", path) == 0)
            #expect(throws: OutputError.self) { try OutputFile.write(text: "x", to: path) }
            #expect(throws: OutputError.self) { try OutputFile.check(path) }
        }
    }

    @Test func writesToAPipeAndLeavesItAPipe() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "pipe").path
            #expect(unsafe mkfifo(path, 0o600) == 0)
            // Open on both ends, so that neither waits for the other.
            let reader = unsafe open(path, O_RDWR | O_NONBLOCK)
            defer { close(reader) }
            #expect(!OutputFile.isPlain(path))
            try OutputFile.check(path)
            try OutputFile.write(text: "through", to: path)
            var bytes = [UInt8](repeating: 0, count: 16)
            #expect(unsafe read(reader, &bytes, 16) == 7)
            #expect(String(decoding: bytes.prefix(7), as: UTF8.self) == "through")
            #expect(isKind(S_IFIFO, path))
        }
    }

    @Test func writesToADeviceAndLeavesItADevice() async throws {
        try OutputFile.check("/dev/null")
        try OutputFile.write(text: "gone", to: "/dev/null")
        #expect(isKind(S_IFCHR, "/dev/null"))
        let error = #expect(throws: OutputError.self) { try OutputFile.write(text: "x", to: "/dev/full") }
        #expect(error?.code == .noSpace)
        #expect(isKind(S_IFCHR, "/dev/full"))
    }

    @Test func aNameAsLongAsNamesCanBeIsWritten() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: String(repeating: "n", count: 255)).path
            try OutputFile.write(text: "x", to: path)
            #expect(try text(path) == "x")
        }
    }

    @Test(arguments: ["", "sub/none/file", "folder", "file/below"])
    func refusesBeforeTheWorkWhatCannotBeWritten(name: String) async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                at: folder.appending(path: "folder"),
                withIntermediateDirectories: true
            )
            try OutputFile.write(text: "x", to: folder.appending(path: "file").path)
            let path = name.isEmpty ? "" : folder.path + "/" + name
            #expect(throws: OutputError.self) { try OutputFile.check(path) }
            #expect(throws: OutputError.self) { try OutputFile.write(text: "x", to: path) }
        }
    }

    @Test func aModelIsNotWrittenToStandardOutput() async throws {
        #expect(throws: OutputError.self) { try OutputFile.check("-") }
        try OutputFile.check("-", isText: true)
    }
}
