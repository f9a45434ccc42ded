import Foundation
import Plate
import Synchronization
import TestSupport
import Testing

@testable import Acquisition

/// What happens to folders in real life.
@Suite struct FolderTroubleTests {
    @Test("a folder renamed while it is watched goes on under its new name")
    func renamedFolder() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder, pattern: "{run}/{well}/{frame}.tif")
            _ = try await watched.ready()
            try watched.makeFolder("one/A1")
            try watched.write("one/A1/1.tif", "END")
            try await watched.log.wait(for: "the first frame") { $0.names == ["one/A1/1.tif"] }
            try watched.move("one", to: "two")
            try watched.write("two/A1/2.tif", "END")
            try watched.makeFolder("one/A1")
            try watched.write("one/A1/3.tif", "END")
            try await watched.log.wait(for: "frames of both") { $0.frames.count >= 4 }
            watched.watcher.stop()
            let state = try await watched.log.wait(for: "the end") { $0.hasEnded }
            #expect(state.names == ["one/A1/1.tif", "one/A1/3.tif", "two/A1/1.tif", "two/A1/2.tif"])
        }
    }

    /// The number of the kernel's watch on a folder.
    private func watch(on folder: URL) throws -> Int32 {
        let inode =
            try FileManager.default.attributesOfItem(atPath: folder.path)[.systemFileNumber] as? UInt64
        let mark = "ino:\(String(try #require(inode), radix: 16)) "
        for number in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fdinfo") {
            let text = (try? String(contentsOfFile: "/proc/self/fdinfo/\(number)", encoding: .utf8)) ?? ""
            for line in text.split(separator: "\n") where line.hasPrefix("inotify wd:") && line.contains(mark)
            {
                return try #require(
                    Int32(line.dropFirst("inotify wd:".count).prefix { $0 != " " }, radix: 16)
                )
            }
        }
        throw CocoaError(.fileNoSuchFile)
    }

    @Test(
        "a folder is kept when the last notification of its rename comes after it was found under its new name"
    )
    func lateNotification() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder)
            _ = try await watched.ready()
            try watched.makeFolder("b/c")
            try watched.write("b/c/01_A1_f1.tif", "END")
            try await watched.log.wait(for: "frame 1") { $0.indices == [1] }
            try watched.move("b", to: "a")
            try await watched.log.wait(for: "its new name") { $0.names.contains("a/c/01_A1_f1.tif") }
            let moved = FolderNotification(
                watch: try watch(on: folder.appending(path: "a")),
                kind: .folderMoved,
                name: [],
                isFolder: true
            )
            try #require(watched.watcher.mailboxes.values.first).put(moved)
            try watched.write("a/c/01_A1_f2.tif", "END")
            try await watched.log.wait(for: "frame 2") { $0.indices == [1, 2] }
            watched.watcher.stop()
        }
    }

    @Test("a folder renamed over an empty one, moved out, deleted and made again is followed")
    func replacedFolders() async throws {
        try await withTemporaryFolder { outside in
            try await withTemporaryFolder { folder in
                let watched = try WatchedFolder(folder)
                _ = try await watched.ready()
                try watched.makeFolder("a")
                try watched.makeFolder("b/c")
                try watched.write("b/c/01_A1_f1.tif", "END")
                try await watched.log.wait(for: "frame 1") { $0.indices == [1] }
                let code = unsafe rename(folder.appending(path: "b").path, folder.appending(path: "a").path)
                #expect(code == 0)
                try watched.write("a/c/01_A1_f2.tif", "END")
                try await watched.log.wait(for: "frame 2") { $0.indices == [1, 2] }
                let away = outside.appending(path: "a")
                try FileManager.default.moveItem(at: folder.appending(path: "a"), to: away)
                try Data("END".utf8).write(to: away.appending(path: "c/01_A1_f3.tif"))
                try watched.makeFolder("a")
                try watched.write("a/01_A1_f4.tif", "END")
                try await watched.log.wait(for: "frame 4") { $0.indices == [1, 2, 4] }
                try FileManager.default.removeItem(at: folder.appending(path: "a"))
                try watched.makeFolder("a")
                try watched.write("a/01_A1_f5.tif", "END")
                try FileManager.default.moveItem(at: away, to: folder.appending(path: "back"))
                try await watched.log.wait(for: "frame 5 and what came back") {
                    $0.indices == [1, 2, 3, 4, 5]
                }
                #expect(try await watched.finish().indices == [1, 2, 3, 4, 5])
            }
        }
    }

    /// Links, a pipe, and names that nobody should have to read.
    private func addHostile(to watched: WatchedFolder, _ folder: URL, _ outside: URL) throws {
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "late"),
            withDestinationURL: outside
        )
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "01_A1_f7.tif"),
            withDestinationURL: outside.appending(path: "01_A1_f1.tif")
        )
        for name in [
            "evil\n_A1_f2.tif", ".._A1_f3.tif", "a;b_A1_f4x.tif", "readme.txt", ".hid_A1_f5.tif",
        ] {
            try watched.write(name, "END")
        }
        let code = unsafe mkfifo(folder.appending(path: "01_A1_f6.tif").path, 0o600)
        #expect(code == 0)
        let raw = Array(folder.path.utf8) + [0x2F, 0xFF, 0xFE] + Array("_A1_f8.tif".utf8) + [0]
        let file = unsafe open(raw.map(CChar.init(bitPattern:)), O_CREAT | O_WRONLY, 0o600)
        #expect(file >= 0 && close(file) == 0)
    }

    @Test("links are not followed, and hostile names neither crash nor pass")
    func linksAndNames() async throws {
        try await withTemporaryFolder { outside in
            try await withTemporaryFolder { folder in
                try Data("END".utf8).write(to: outside.appending(path: "01_A1_f1.tif"))
                let manager = FileManager.default
                try manager.createSymbolicLink(at: folder.appending(path: "out"), withDestinationURL: outside)
                let watched = try WatchedFolder(folder)
                _ = try await watched.ready()
                try addHostile(to: watched, folder, outside)
                let state = try await watched.finish()
                #expect(state.frames.isEmpty)
                let reasons = Dictionary(
                    uniqueKeysWithValues: state.skipped.map {
                        ($0.key.split(separator: "/").last ?? "", $0.value)
                    }
                )
                #expect(
                    Set(reasons.keys) == [
                        "out", "late", "evil\\x0a_A1_f2.tif", "a;b_A1_f4x.tif", "readme.txt",
                        "01_A1_f6.tif", "01_A1_f7.tif", "\\xff\\xfe_A1_f8.tif",
                    ]
                )
                #expect(reasons["01_A1_f7.tif"]?.contains("symbolic link") == true)
                #expect(reasons["out"]?.contains("symbolic link") == true)
                #expect(!reasons.values.contains { $0.contains("twice") })
            }
        }
    }

    @Test("an excluded folder inside the tree is not entered, however it is spelled")
    func excluded() async throws {
        try await withTemporaryFolder { folder in
            var options = WatchedFolder.fast
            options.excluded = [folder.path + "/x/../out/", folder.path + "/link"]
            try FileManager.default.createDirectory(
                at: folder.appending(path: "target"),
                withIntermediateDirectories: true
            )
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: "link"),
                withDestinationURL: folder.appending(path: "target")
            )
            let watched = try WatchedFolder(folder, options: options)
            _ = try await watched.ready()
            for name in ["out", "target", "in"] {
                try watched.makeFolder(name)
                try watched.write("\(name)/01_A1_f1.tif", "END")
            }
            #expect(try await watched.finish().names == ["in/01_A1_f1.tif"])
        }
    }

    @Test("a root that is not there is awaited, and again when it goes")
    func missingRoot() async throws {
        try await withTemporaryFolder { folder in
            let root = folder.appending(path: "later")
            let watched = try WatchedFolder(root)
            #expect(try await watched.ready() == 0)
            try await watched.log.wait(for: "the warning") {
                $0.events.contains(.rootMissing(path: root.path))
            }
            for index in 1...2 {
                try watched.makeFolder("")
                try watched.write("01_A1_f\(index).tif", "END")
                try await watched.log.wait(for: "frame \(index)") { $0.frames.count == index }
                try FileManager.default.removeItem(at: root)
                try await watched.log.wait(for: "warning \(index)") { state in
                    state.events.count { $0 == .rootMissing(path: root.path) } == index + 1
                }
            }
        }
    }

    @Test("a root is what its path names: a link that is turned, a folder that is made anew")
    func rootsArePaths() async throws {
        try await withTemporaryFolder { folder in
            let manager = FileManager.default
            for day in ["monday", "tuesday"] {
                try manager.createDirectory(
                    at: folder.appending(path: day),
                    withIntermediateDirectories: true
                )
            }
            let today = folder.appending(path: "today")
            func turn(to day: String) throws {
                let fresh = folder.appending(path: "fresh").path
                try manager.createSymbolicLink(atPath: fresh, withDestinationPath: day)
                try #require(unsafe rename(fresh, today.path) == 0)
            }
            try turn(to: "monday")
            let watched = try WatchedFolder(today)
            _ = try await watched.ready()
            try Data("END".utf8).write(to: folder.appending(path: "monday/01_A1_f1.tif"))
            try await watched.log.wait(for: "monday's frame") { $0.frames.count == 1 }
            try turn(to: "tuesday")
            try Data("END".utf8).write(to: folder.appending(path: "tuesday/02_A1_f1.tif"))
            try await watched.log.wait(for: "tuesday's frame") { $0.names.contains("02_A1_f1.tif") }
            // Made anew under the same name, with no event for whoever watches through the link.
            try manager.moveItem(
                at: folder.appending(path: "tuesday"),
                to: folder.appending(path: "away")
            )
            try manager.createDirectory(
                at: folder.appending(path: "tuesday"),
                withIntermediateDirectories: true
            )
            try Data("END".utf8).write(to: folder.appending(path: "tuesday/03_A1_f1.tif"))
            let end = try await watched.log.wait(for: "the new folder's frame") {
                $0.names.contains("03_A1_f1.tif")
            }
            #expect(end.names == ["01_A1_f1.tif", "02_A1_f1.tif", "03_A1_f1.tif"])
            #expect(end.events.contains(.rootReplaced(path: today.path)))
            watched.watcher.stop()
        }
    }

    @Test("a root that does not answer stops no other")
    func silentRoot() async throws {
        try await withTemporaryFolder { folder in
            for name in ["good", "silent"] {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: name),
                    withIntermediateDirectories: true
                )
            }
            let gate = DispatchSemaphore(value: 0)
            let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
            let plan = WatchPlan(
                roots: ["good", "silent"].map { folder.appending(path: $0).path },
                pattern: try FramePattern(),
                options: WatchedFolder.fast
            ) { path in
                if path.contains("/silent/") {
                    arrival.yield()
                    gate.wait()
                }
                return WatchedFolder.isWhole(path)
            }
            let watcher = FolderWatcher(plan)
            let log = EventLog(watcher)
            try await log.wait(for: "first listing") { $0.listed != nil }
            try Data("END".utf8).write(to: folder.appending(path: "silent/01_A1_f1.tif"))
            for await _ in arrivals { break }
            for index in 1...20 {
                try Data("END".utf8).write(to: folder.appending(path: "good/01_B1_f\(index).tif"))
            }
            try await log.wait(for: "the frames of the other") { $0.frames.count == 20 }
            let silent = try #require(watcher.standings.last)
            #expect(silent.silence > .zero && silent.path.hasSuffix("silent/01_A1_f1.tif"))
            gate.signal()
            try await log.wait(for: "its frame, once it answers") { $0.frames.count == 21 }
            watcher.stop()
        }
    }

    @Test("a file that cannot be opened waits for as long as that lasts, and is told once")
    func waitsForAnUnreachableFile() async throws {
        try await withTemporaryFolder { folder in
            let isLocked = Mutex(true)
            var options = WatchedFolder.fast
            options.giveUpAfter = .milliseconds(300)
            let watched = try WatchedFolder(folder, options: options) { path in
                isLocked.withLock(\.self) ? .unreachable("somebody holds it") : WatchedFolder.isWhole(path)
            }
            _ = try await watched.ready()
            try watched.write("01_A1_f1.tif", "END")
            let state = try await watched.log.wait(for: "the reason") { state in
                state.events.contains {
                    if case .waiting(_, "somebody holds it") = $0 { true } else { false }
                }
            }
            #expect(state.frames.isEmpty && state.abandoned.isEmpty)
            isLocked.withLock { $0 = false }
            try await watched.log.wait(for: "the frame") { $0.names == ["01_A1_f1.tif"] }
            let end = try await watched.finish()
            #expect(end.names == ["01_A1_f1.tif"])
            let told = end.events.count { if case .waiting = $0 { true } else { false } }
            #expect(told == 1)
        }
    }

    @Test("a file that was handed back is told again")
    func handedBack() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder)
            _ = try await watched.ready()
            try watched.write("01_A1_f1.tif", "END")
            let first = try await watched.log.wait(for: "the frame") { $0.frames.count == 1 }
            watched.watcher.lookAgain(try #require(first.frames.first))
            try await watched.log.wait(for: "the frame again") { $0.frames.count == 2 }
            #expect(try await watched.finish().frames.count == 2)
        }
    }

    @Test("a file that its writer never closes is taken once it has stayed the same")
    func neverClosed() async throws {
        try await withTemporaryFolder { folder in
            var options = WatchedFolder.fast
            options.fill = .milliseconds(100)
            let watched = try WatchedFolder(folder, options: options)
            _ = try await watched.ready()
            let path = folder.appending(path: "01_A1_f1.tif")
            let file = unsafe open(path.path, O_CREAT | O_WRONLY, 0o600)
            try #require(file >= 0)
            defer { close(file) }
            #expect(unsafe write(file, "END", 3) == 3)
            try await watched.log.wait(for: "the frame") { $0.names == ["01_A1_f1.tif"] }
            watched.watcher.stop()
        }
    }

    @Test("a file that is found and ends in zeros is given time, one that was closed is not")
    func unfilled() async throws {
        try await withTemporaryFolder { folder in
            try Data("ZEROS END".utf8).write(to: folder.appending(path: "01_A1_f1.tif"))
            var options = WatchedFolder.fast
            options.fill = .seconds(3600)
            let watched = try WatchedFolder(folder, options: options) { path in
                let isBlank = FileManager.default.contents(atPath: path)?.first == UInt8(ascii: "Z")
                return isBlank ? .unfilled("its last bytes are zeros") : .whole
            }
            #expect(try await watched.ready() == 1)
            try watched.write("01_A1_f2.tif", "ZEROS END")
            let closed = try await watched.log.wait(for: "the closed one") { !$0.frames.isEmpty }
            #expect(Set(closed.names) == ["01_A1_f2.tif"])
            try watched.write("01_A1_f1.tif", "filled END")
            try await watched.log.wait(for: "the filled one") { Set($0.names).count == 2 }
            watched.watcher.stop()
        }
    }

    @Test("beyond the watch limit folders are looked through, and the operator is told what to raise")
    func watchLimit() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder, watchLimit: 3)
            _ = try await watched.ready()
            try await withThrowingTaskGroup { group in
                for index in 0..<20 {
                    group.addTask {
                        try watched.makeFolder("\(index)/deep")
                        try await watched.writeSlowly(
                            "\(index)/deep/01_A1_f\(index).tif",
                            isHeld: index % 2 == 0
                        )
                    }
                }
                try await group.waitForAll()
            }
            try await watched.log.wait(for: "20 frames") { Set($0.frames.map(\.frame)).count >= 20 }
            let state = try await watched.finish()
            #expect(Set(state.frames.map(\.frame)).count == 20)
            #expect(state.degraded.count == 1)
            #expect(state.degraded.first?.contains("fs.inotify.max_user_watches") == true)
            #expect(state.degraded.first?.contains("only 3 folders") == true)
        }
    }

    @Test("a folder that cannot be watched at all is looked through")
    func polling() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder, watchLimit: 0)
            _ = try await watched.ready()
            try watched.write("01_A1_f1.tif", "END")
            try await watched.writeSlowly("01_A1_f2.tif", isHeld: true)
            try watched.move("01_A1_f1.tif", to: "01_A1_f3.tif")
            let state = try await watched.log.wait(for: "three frames") { Set($0.names).count >= 2 }
            #expect(Set(state.names).isSubset(of: ["01_A1_f1.tif", "01_A1_f2.tif", "01_A1_f3.tif"]))
            let end = try await watched.finish()
            #expect(end.names.count == Set(end.names).count)
            #expect(Set(end.names).isSuperset(of: ["01_A1_f2.tif", "01_A1_f3.tif"]))
        }
    }

    @Test("among many frames that were told a polled folder shows new ones and changed ones, each once")
    func pollingAFullFolder() async throws {
        try await withTemporaryFolder { folder in
            let watched = try WatchedFolder(folder, watchLimit: 0)
            _ = try await watched.ready()
            for index in 0..<200 { try watched.write("01_A1_f\(index).tif", "END") }
            try await watched.log.wait(for: "200 frames") { $0.frames.count == 200 }
            for round in 1...3 {
                try watched.write("01_B1_f\(round).tif", "END")
                try watched.write("01_A1_f\(round).tif", "another END")
                try await watched.log.wait(for: "round \(round)") { $0.frames.count == 200 + 2 * round }
            }
            let end = try await watched.finish()
            let news = (1...3).flatMap { ["01_A1_f\($0).tif", "01_B1_f\($0).tif"] }
            #expect(end.frames.dropFirst(200).map(\.source.path).sorted() == news.sorted())
        }
    }

    @Test("when events overflow everything is looked through again and nothing is lost")
    func overflow() async throws {
        let limit = 200
        try await withTemporaryFolder { folder in
            let gate = DispatchSemaphore(value: 0)
            let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
            let watched = try WatchedFolder(folder, mailCapacity: limit) { path in
                if path.hasSuffix("gate_A1_f1.tif") {
                    arrival.yield()
                    gate.wait()
                }
                return WatchedFolder.isWhole(path)
            }
            _ = try await watched.ready()
            try watched.write("gate_A1_f1.tif", "END")
            for await _ in arrivals { break }
            let noise = try [".a", ".b"].map { name in
                try watched.write(name, "")
                return folder.appending(path: name)
            }
            for index in 0...limit { try FileHandle(forWritingTo: noise[index % 2]).close() }
            for index in 0..<500 {
                try watched.makeFolder("fresh/\(index % 10)")
                try watched.write("fresh/\(index % 10)/01_B1_f\(index).tif", "END")
            }
            gate.signal()
            try await watched.log.wait(for: "all frames") { $0.frames.count >= 501 }
            let state = try await watched.log.wait(for: "the warning") { !$0.overflows.isEmpty }
            #expect(state.overflows.last == 501)
            let end = try await watched.finish()
            #expect(end.frames.count == 501)
            #expect(Set(end.frames.map(\.frame)).count == 501)
        }
    }
}
