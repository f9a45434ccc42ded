import Foundation
import Plate
import Synchronization
import TestSupport
import Testing

@testable import Acquisition

@Suite struct SlowReaderTests {
    @Test("a reader that comes late gets every frame once, though only a few names are kept for it")
    func lateReader() async throws {
        try await withTemporaryFolder { folder in
            let write = { (name: String) in
                try Data("END".utf8).write(to: folder.appending(path: name))
            }
            for index in 0..<150 { try write("01_A1_f\(index).tiff") }
            var plan = WatchPlan(
                roots: [folder.path],
                pattern: try FramePattern(),
                options: WatchedFolder.fast,
                isWhole: WatchedFolder.isWhole
            )
            (plan.mostUnread, plan.mostCandidates) = (8, 20)
            let watcher = FolderWatcher(plan)
            for index in 150..<300 { try write("01_A1_f\(index).tiff") }
            let log = EventLog(watcher)
            try await log.wait(for: "300 frames") { $0.frames.count >= 300 && $0.listed != nil }
            watcher.stop()
            let state = try await log.wait(for: "the end") { $0.hasEnded }
            #expect(state.frames.count == 300)
            #expect(Set(state.frames.map(\.frame)).count == 300)
        }
    }

    @Test(
        "while there is no room for what lay there at the start, what comes goes ahead of it, whole at once or not"
    )
    func noRoomForOld() async throws {
        try await withTemporaryFolder { folder in
            let old = (0..<30).map { "01_A1_f\($0).tiff" }
            for name in old {
                let path = folder.appending(path: name).path
                try Data("END".utf8).write(to: folder.appending(path: name))
                try FileManager.default.setAttributes([.modificationDate: Date() - 3600], ofItemAtPath: path)
            }
            let room = Room()
            let watched = try WatchedFolder(folder, hasRoomForOld: { room.isThere })
            _ = try await watched.ready()
            try watched.write("01_A1_f30.tiff", "END")
            try await watched.writeSlowly("01_A1_f31.tiff", isHeld: false)
            try watched.write("01_B1_f31.tiff", "END")
            let new = ["01_A1_f30.tiff", "01_A1_f31.tiff", "01_B1_f31.tiff"]
            let before = try await watched.log.wait(for: "new frames") { $0.frames.count >= new.count }
            #expect(before.names == new)
            room.make()
            let state = try await watched.finish()
            #expect(state.frames.dropFirst(new.count).map(\.source.path) == old)
        }
    }

    private final class Room: Sendable {
        private let state = Mutex(false)
        var isThere: Bool { state.withLock { $0 } }
        func make() { state.withLock { $0 = true } }
    }
}
