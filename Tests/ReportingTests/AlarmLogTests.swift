import Files
import Foundation
import Plate
import Reporting
import TestSupport
import Testing

struct AlarmLogTests {
    @Test func aLineIsWrittenOnce() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.appending(path: "out").path)
            let fault = try Sample.fault(frame: 1)
            let onset = try Sample.fault(frame: 1, event: .onset)
            var log = try AlarmLog(tree: tree, run: "01", well: Sample.well())
            let isThereBefore = log.contains(fault)
            let written = try log.append([fault, onset, fault])
            let (isThere, transition) = (log.contains(fault), log.lastTransitions[.only])
            #expect(!isThereBefore && isThere)
            #expect(written == [fault, onset])
            #expect(transition == .onset)

            var again = try AlarmLog(tree: tree, run: "01", well: Sample.well())
            let otherModel = try Sample.fault(frame: 1, model: "000000")
            let rewritten = try Sample.fault(frame: 1, reason: "judged again")
            let transitionAgain = again.lastTransitions[.only]
            let writtenAgain = try again.append([fault, otherModel, rewritten])
            #expect(transitionAgain == .onset)
            #expect(writtenAgain == [otherModel, rewritten])
            let text = try String(
                contentsOfFile: tree.alarmLog(run: "01", well: Sample.well()),
                encoding: .utf8
            )
            #expect(
                text == [fault, onset, otherModel, rewritten].map { AlarmLine.format($0) + "\n" }.joined()
            )
        }
    }

    @Test func everyTornTailIsCutOff() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            let first = try Sample.fault(frame: 1)
            let second = try Sample.fault(frame: 2)
            let path = tree.alarmLog(run: "01", well: try Sample.well())
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/01/alarms",
                withIntermediateDirectories: true
            )
            let whole = Data("\(AlarmLine.format(first))\n".utf8)
            let next = Data("\(AlarmLine.format(second))\n".utf8)
            let tails = (0..<next.count).map { next.prefix($0) } + [Data(count: 9), Data(count: 200_000)]
            for tail in tails {
                try (whole + tail).write(to: URL(filePath: path))
                var log = try AlarmLog(tree: tree, run: "01", well: Sample.well())
                let found = [first, second].map { log.contains($0) }
                #expect(found == [true, false])
                try log.append([second])
                #expect(try Data(contentsOf: URL(filePath: path)) == whole + next)
            }
            try Data("torn from the start".utf8).write(to: URL(filePath: path))
            _ = try AlarmLog(tree: tree, run: "01", well: Sample.well())
            #expect(try Data(contentsOf: URL(filePath: path)).isEmpty)
        }
    }

    @Test func aLongLogIsReadFromItsEnd() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            let alarms = try (0..<3000).map { try Sample.fault(frame: $0) }
            var log = try AlarmLog(tree: tree, run: "01", well: Sample.well())
            try log.append(alarms)
            let reopened = try AlarmLog(tree: tree, run: "01", well: Sample.well())
            let found = alarms.suffix(128).filter { reopened.contains($0) }
            #expect(found.count == 128)
        }
    }

    @Test func aLogThatCannotBeWrittenSaysWhy() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.appending(path: "file").path)
            try Data().write(to: URL(filePath: tree.root))
            let well = try Sample.well()
            #expect {
                _ = try AlarmLog(tree: tree, run: "01", well: well)
            } throws: { error in
                "\(error)".contains(tree.root) && (error as? OutputError)?.code == .notUsable
            }
        }
    }

    @Test func quarantineNamesAFileOnce() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            let entry = { (seconds: Int64, reason: String) in
                FrameRecord(
                    source: FrameSource(root: "/in", path: "a\nb/01_B1_f1.tif"),
                    frame: FrameID(run: "01", well: try Sample.well(), index: 1),
                    outcome: .quarantined(reason: reason),
                    judged: Timestamp(nanoseconds: seconds * 1_000_000_000)
                )
            }
            for seconds in 1...2 {
                var log = try QuarantineLog(tree: tree, run: "01")
                try log.append([entry(Int64(seconds), "It is cut off.")])
            }
            var log = try QuarantineLog(tree: tree, run: "01")
            try log.append([entry(3, "It is damaged.")])
            let text = try String(contentsOfFile: tree.quarantineLog(run: "01"), encoding: .utf8)
            #expect(
                text == """
                    time=1970-01-01T00:00:01.000Z file="a\\nb/01_B1_f1.tif" page=0 run=01 well=B01 frame=1 \
                    reason="It is cut off."
                    time=1970-01-01T00:00:03.000Z file="a\\nb/01_B1_f1.tif" page=0 run=01 well=B01 frame=1 \
                    reason="It is damaged."

                    """
            )
        }
    }
}
