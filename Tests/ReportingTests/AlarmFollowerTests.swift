import Foundation
import Plate
import Reporting
import TestSupport
import Testing

struct AlarmFollowerTests {
    @Test func tellsEachLineOnceAndWellsThatComeLater() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            var follower = AlarmFollower(tree: tree)
            #expect(try follower.next().isEmpty)
            try append([1, 2], to: "B1", in: tree)
            #expect(try follower.next().map(\.alarm.frame.index) == [1, 2])
            #expect(try follower.next().isEmpty)
            try append([3], to: "B1", in: tree)
            try append([4], to: "C2", in: tree)
            #expect(Set(try follower.next().map(\.alarm.frame.index)) == [3, 4])
            var some = AlarmFollower(tree: tree, run: "01", wells: [try #require(Well("C2"))])
            #expect(try some.next().map(\.alarm.frame.index) == [4])
            var other = AlarmFollower(tree: tree, run: "02")
            #expect(try other.next().isEmpty)
        }
    }

    @Test func anUnfinishedLineIsLeftAndAShorterLogIsReadAnew() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            try append([1], to: "B1", in: tree)
            let path = tree.alarmLog(run: "01", well: try #require(Well("B1")))
            let line = try Data(contentsOf: URL(filePath: path))
            var follower = AlarmFollower(tree: tree)
            try (line + line.prefix(20)).write(to: URL(filePath: path))
            #expect(try follower.next().count == 1)
            try (line + line).write(to: URL(filePath: path))
            #expect(try follower.next().count == 1)
            try line.write(to: URL(filePath: path))
            #expect(try follower.next().count == 1)
        }
    }

    private func append(_ frames: [Int], to well: String, in tree: OutputTree) throws {
        let well = try #require(Well(well))
        var log = try AlarmLog(tree: tree, run: "01", well: well)
        try log.append(
            frames.map { index in
                Alarm(
                    time: Timestamp(nanoseconds: Int64(index) * 1_000_000_000),
                    event: .stalled,
                    frame: FrameID(run: "01", well: well, index: index),
                    model: "3f9ac2d41b7e",
                    judgement: nil,
                    reason: "no frame for 60 s",
                    latencyMilliseconds: nil
                )
            }
        )
    }
}
