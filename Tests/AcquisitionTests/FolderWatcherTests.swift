import Foundation
import Plate
import TestSupport
import Testing

@testable import Acquisition

@Suite struct FolderWatcherTests {
    @Test(
        "slowly written frames in fresh folders are told when they are whole, and at their close",
        arguments: [true, false]
    )
    func slowWriters(isHeld: Bool) async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder)
            _ = try await watched.ready()
            try await withThrowingTaskGroup { group in
                for index in 0..<60 {
                    group.addTask {
                        try watched.makeFolder("s\(index % 7)/\(index)")
                        try await watched.writeSlowly(
                            "s\(index % 7)/\(index)/01_A1_f\(index).tif",
                            isHeld: isHeld
                        )
                    }
                    group.addTask {
                        let name = "r\(index % 7)/\(index)/01_B1_f\(index).tif"
                        try watched.makeFolder("r\(index % 7)/\(index)")
                        try await watched.writeSlowly(name + ".tmp", isHeld: isHeld)
                        try watched.move(name + ".tmp", to: name)
                    }
                }
                try await group.waitForAll()
            }
            try await watched.log.wait(for: "120 frames") { Set($0.frames.map(\.frame)).count >= 120 }
            let state = try await watched.finish()
            // One that was found whole just before its close is told again at the close.
            #expect(state.frames.count <= 240)
            #expect(Set(state.frames.map(\.frame)).count == 120)
            #expect(
                state.frames.allSatisfy { $0.source.identity?.size == 7 },
                "a frame was taken before it was whole"
            )
            #expect(state.abandoned.isEmpty && state.skipped.isEmpty)
        }
    }

    @Test("frames that were known before are counted, not told, until their content changes")
    func knownBefore() async throws {
        try await withTemporaryFolder { folder in
            let names = (0..<5).map { "01_A1_f\($0).tif" }
            for name in names { try Data("END".utf8).write(to: folder.appending(path: name)) }
            let known = try names.prefix(3).enumerated().map { index, name in
                let status = try FileSystem.status(ExactPath.absolute(folder.appending(path: name).path))
                let well = try #require(Well("A1"))
                let source = FrameSource(root: folder.path, path: name, identity: status.identity)
                return (source, FrameID(run: "01", well: well, index: index))
            }
            let watched = try WatchedFolder(folder, known: { add in known.forEach { add($0.0, $0.1) } })
            #expect(try await watched.ready() == 2)
            try await watched.log.wait(for: "2 frames") { $0.frames.count >= 2 }
            try watched.write(names[0], "again END")
            try await watched.log.wait(for: "3 frames") { $0.frames.count >= 3 }
            let state = try await watched.finish()
            #expect(state.events.contains(.known(3)))
            #expect(state.names == [names[0], names[3], names[4]])
        }
    }

    @Test("a frame that comes during the start does not overtake one that was written just before it")
    func orderAtTheStart() async throws {
        try await withTemporaryFolder { folder in
            try Data("END".utf8).write(to: folder.appending(path: "01_A1_f1.tif"))
            var options = WatchedFolder.fast
            options.settle = .seconds(5)
            let watched = try WatchedFolder(folder, options: options)
            _ = try await watched.ready()
            try watched.write("01_A1_f2.tif", "END")
            try watched.write("01_B1_f2.tif", "END")
            try await watched.log.wait(for: "3 frames") { $0.frames.count >= 3 }
            let told = try await watched.finish().frames.map(\.source.path)
            #expect(told.filter { $0.contains("A1") } == ["01_A1_f1.tif", "01_A1_f2.tif"])
        }
    }

    @Test("a tree of 500 folders that appears at once is found, file by file")
    func freshTree() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder)
            _ = try await watched.ready()
            for index in 0..<500 {
                try watched.makeFolder("a\(index % 3)/b\(index % 5)/\(index)")
                for frame in 0..<5 {
                    try watched.write(
                        "a\(index % 3)/b\(index % 5)/\(index)/r\(index)_C3_f\(frame).tiff",
                        "END"
                    )
                }
            }
            try await watched.log.wait(for: "2500 frames") { $0.frames.count >= 2500 }
            let state = try await watched.finish()
            #expect(state.frames.count == 2500)
            #expect(Set(state.frames.map(\.frame)).count == 2500)
        }
    }

    @Test("frames that lie there are listed in order of run, well and time")
    func alreadyThere() async throws {
        try await withTemporaryFolder { folder in
            for index in (0..<50).reversed() {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: "\(index % 7)"),
                    withIntermediateDirectories: true
                )
                let url = folder.appending(
                    path: "\(index % 7)/01_\(index % 2 == 0 ? "A" : "B")2_f\(index).tif"
                )
                try Data("END".utf8).write(to: url)
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -60)],
                    ofItemAtPath: url.path
                )
            }
            let watched = try WatchedFolder(folder)
            #expect(try await watched.ready() == 50)
            try await watched.log.wait(for: "50 frames") { $0.frames.count >= 50 }
            let frames = try await watched.finish().frames
            #expect(frames.count == 50)
            #expect(frames.map(\.frame) == frames.map(\.frame).sorted())
            #expect(frames.allSatisfy { $0.found == .listed && $0.source.root == folder.path })
        }
    }

    @Test("with onlyNew, what lies there is left alone until it changes")
    func onlyNew() async throws {
        try await withTemporaryFolder { folder in
            for index in 0..<3 {
                let url = folder.appending(path: "01_A1_f\(index).tif")
                try Data("END".utf8).write(to: url)
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -1)],
                    ofItemAtPath: url.path
                )
            }
            var options = WatchedFolder.fast
            options.onlyNew = true
            let watched = try WatchedFolder(folder, options: options)
            #expect(try await watched.ready() == 3)
            try watched.write("01_A1_f1.tif", "new END")
            try watched.write("01_A1_f3.tif", "END")
            let state = try await watched.finish()
            #expect(state.names == ["01_A1_f1.tif", "01_A1_f3.tif"])
        }
    }

    @Test("a frame that never becomes whole is given up, a damaged one is passed on, a mended one is taken")
    func truncated() async throws {
        try await withTemporaryFolder { folder in
            var options = WatchedFolder.fast
            options.giveUpAfter = .milliseconds(300)
            let watched = try WatchedFolder(folder, options: options)
            _ = try await watched.ready()
            try watched.write("01_A1_f1.tif", "half")
            try watched.write("01_A1_f2.tif", "BAD")
            try await watched.log.wait(for: "the damaged frame") { $0.names == ["01_A1_f2.tif"] }
            let state = try await watched.log.wait(for: "the abandoned frame") { !$0.abandoned.isEmpty }
            #expect(state.abandoned.map(\.source.path) == ["01_A1_f1.tif"])
            let event = state.events.first { if case .abandoned = $0 { true } else { false } }
            guard case .abandoned(_, let reason) = event else { return }
            #expect(reason.contains("has no end"))
            try watched.write("01_A1_f1.tif", "half and END")
            let end = try await watched.finish()
            #expect(end.names == ["01_A1_f1.tif", "01_A1_f2.tif"] && end.abandoned.count == 1)
        }
    }

    @Test("a stack is told when frames have come, and given up when no more do")
    func growing() async throws {
        try await withTemporaryFolder { folder in
            var options = WatchedFolder.fast
            options.giveUpAfter = .milliseconds(300)
            // A frame a byte, of three.
            let watched = try WatchedFolder(
                folder,
                options: options,
                isWhole: { path in
                    let count = FileManager.default.contents(atPath: path)?.count ?? 0
                    return count < 3 ? .growing(frames: count, "there are \(count) frames of 3") : .whole
                }
            )
            _ = try await watched.ready()
            try watched.write("01_A1_f1.tif", "1")
            try await watched.log.wait(for: "the first frame") { $0.frames.map(\.isGrowing) == [true] }
            try watched.write("01_A1_f1.tif", "12")
            try await watched.log.wait(for: "the second frame") {
                $0.frames.map(\.isGrowing) == [true, true]
            }
            let state = try await watched.log.wait(for: "the abandoned file") { !$0.abandoned.isEmpty }
            #expect(state.frames.count == 2)
            try watched.write("01_A1_f1.tif", "123")
            let end = try await watched.finish()
            #expect(end.frames.map(\.isGrowing) == [true, true, false])
        }
    }

    @Test("a file is told again under another name and with new content, once each")
    func sameAgain() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder)
            _ = try await watched.ready()
            try watched.write("01_A1_f1.tif", "END")
            try await watched.log.wait(for: "a frame") { $0.frames.count == 1 }
            try watched.move("01_A1_f1.tif", to: "01_A01_f001.tiff")  // the same frame
            try await watched.log.wait(for: "the other name") { $0.frames.count == 2 }
            try watched.move("01_A01_f001.tiff", to: "01_A1_f2.tif")  // another one
            try await watched.log.wait(for: "the other frame") { $0.frames.count == 3 }
            try watched.write("01_A1_f2.tif", "more END")
            let state = try await watched.finish()
            let names = ["01_A1_f1.tif", "01_A01_f001.tiff", "01_A1_f2.tif", "01_A1_f2.tif"]
            #expect(state.frames.map(\.source.path) == names)
            #expect(state.frames.map(\.frame.index) == [1, 1, 2, 2])
            #expect(state.frames.last?.source.identity?.size == 8)
        }
    }

    @Test("stop ends the stream, and may be called twice")
    func stop() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder)
            _ = try await watched.ready()
            watched.watcher.stop()
            watched.watcher.stop()
            try await watched.log.wait(for: "the end") { $0.hasEnded }
            try watched.write("01_A1_f1.tif", "END")
            let other = try WatchedFolder(folder)
            try await other.log.wait(for: "a frame") { $0.frames.count == 1 }
            #expect(await watched.log.state.frames.isEmpty)
        }
    }
}
