import Acquisition
import Files
import Foundation
import Plate
import Reporting
import TestSupport
import Testing

@testable import Monitoring

/// What a start makes of the notes that the last run left.
@Suite struct CrashNotesTests {
    /// Files in a folder, and an output folder.
    private struct Place {
        let folder: URL
        let tree: OutputTree

        static func with(_ body: (Place) throws -> Void) async throws {
            try await withTemporaryFolder { folder in
                let tree = OutputTree(root: folder.appending(path: "out").path)
                try tree.prepare()
                try body(Place(folder: folder, tree: tree))
            }
        }

        func file(_ name: String, _ text: String = "x") throws -> String {
            let path = folder.appending(path: name).path
            try Data(text.utf8).write(to: URL(filePath: path))
            return path
        }

        /// Notes of a thread that judged some files when the process ended.
        func leave(_ paths: [String], thread: Int = 1, crashed: Bool = true) throws {
            var bytes: [UInt8] = []
            for path in paths { bytes += try #require(CrashNotes.Subject(path: path)).record + [0] }
            if crashed { bytes += Array("crashed 04".utf8) + [0] }
            try Data(bytes).write(to: URL(filePath: "\(tree.judgingPath)\(thread)"))
        }

        func start() throws -> CrashNotes { try CrashNotes(tree: tree) }

        /// Names in the output folder that the notes made.
        func left() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: tree.root)
                .filter { $0.hasPrefix(".judging") || $0.hasPrefix(".crashed") }.sorted()
        }
    }

    @Test func twoCrashesAreCountedAndAKillIsNone() async throws {
        try await Place.with { place in
            let (bad, good) = (try place.file("bad.tif"), try place.file("good.tif"))
            for _ in 0..<5 {
                try place.leave([bad, good], crashed: false)
                #expect(try place.start().crashes(of: bad) == 0)
            }
            #expect(try place.left().isEmpty)
            try place.leave([bad])
            #expect(try place.start().crashes(of: bad) == 1)
            // A start without a crash before it changes nothing.
            #expect(try place.start().crashes(of: bad) == 1)
            try place.leave([bad])
            let notes = try place.start()
            #expect(notes.crashes(of: bad) == 2 && notes.crashes(of: good) == 0)
            #expect(try place.left() == [".crashed"])
        }
    }

    @Test func aFileThatIsWrittenAgainBeginsAnew() async throws {
        try await Place.with { place in
            let path = try place.file("a.tif")
            for _ in 0..<2 {
                try place.leave([path])
                _ = try place.start()
            }
            var old = stat()
            #expect(unsafe stat(path, &old) == 0)
            // As long as before, in place, and with the old time.
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.write(contentsOf: Data("y".utf8))
            try handle.close()
            let times = [old.st_atim, old.st_mtim]
            #expect(unsafe utimensat(AT_FDCWD, path, times, 0) == 0)
            #expect(try place.start().crashes(of: path) == 0)
            #expect(try place.left().isEmpty)
        }
    }

    @Test func aFileThatIsJudgedAfterAllIsForgotten() async throws {
        try await Place.with { place in
            let path = try place.file("a.tif")
            try place.leave([path])
            let notes = try place.start()
            let note = try #require(notes.thread(1))
            #expect(note.isSuspect(path))
            #expect(note.begin(path, tick: {}))
            note.clear(isJudged: true)
            #expect(notes.crashes(of: path) == 0)
            #expect(try place.start().crashes(of: path) == 0)
        }
    }

    @Test func aFileOfTwoCrashesIsNotBegun() async throws {
        try await Place.with { place in
            let path = try place.file("a.tif")
            for thread in [1, 1] {
                try place.leave([path], thread: thread)
                _ = try place.start()
            }
            let note = try #require(try place.start().thread(1))
            #expect(!note.begin(path, tick: {}))
        }
    }

    @Test(arguments: [
        "", "\0\0\0", "crashed 04\0", "1 2 3\0crashed 04\0", "9 9 9 9 /x\0", "-1 a b c /x\0crashed 11\0",
    ])
    func notesOfAnyKindAreRead(text: String) async throws {
        try await Place.with { place in
            try Data(text.utf8).write(to: URL(filePath: "\(place.tree.judgingPath)7"))
            try Data((text + "99999999999999999999 1 2 3 4 /x\0").utf8).write(
                to: URL(filePath: place.tree.crashed)
            )
            #expect(try place.start().crashes(of: "/x") == 0)
            #expect(try place.left().allSatisfy { $0 == ".crashed" })
        }
    }

    @Test func thePipelineQuarantinesAFileOfTwoCrashesAndJudgesTheRest() async throws {
        try await Bench.with { bench in
            let files = try ["10", "20", "30"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            let subject = try #require(CrashNotes.Subject(path: files[1].path))
            for _ in 0..<2 {
                let bytes = subject.record + [0] + Array("crashed 04".utf8) + [0]
                try Data(bytes).write(to: URL(filePath: "\(bench.tree.judgingPath)1"))
                _ = try CrashNotes(tree: bench.tree)
            }
            func process(_ files: [FrameFile]) throws {
                let pipeline = try bench.pipeline(crashes: CrashNotes(tree: bench.tree))
                    .with(heartbeat: Heartbeat(name: "judging"), thread: 1)
                _ = try pipeline.process(files.queued)
            }
            try process(files)
            let states = try bench.rows().sorted { $0.source.path < $1.source.path }.map(\.state)
            #expect(states == [.judged, .quarantined, .judged])
            let reason = try bench.rows().compactMap(\.reason)
            #expect(reason == [FramePipeline.crashReason])
            // Written again, it is judged.
            try process([try bench.file("01_B1_f1.tif", "211", frame: 1)])
            #expect(try bench.rows().allSatisfy { $0.state == .judged })
        }
    }
}
