import Foundation
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
            let plan = WatchPlan(
                roots: [folder.path],
                pattern: try FramePattern(),
                options: WatchedFolder.fast,
                mostUnread: 8,
                mostCandidates: 20,
                isWhole: WatchedFolder.isWhole
            )
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
}
