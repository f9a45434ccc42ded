import Foundation
import Plate
import Reporting
import Rules
import TestSupport
import Testing

struct DecisionLogTests {
    private func decision(
        _ kind: Decision.Kind,
        well: String = "B1",
        frame: Int? = 7,
        note: String = "",
        by reviewer: String = "Ada"
    ) throws -> Decision {
        Decision(
            run: "01",
            well: try #require(Well(well)),
            frame: frame,
            kind: kind,
            note: note,
            reviewer: reviewer,
            decided: Timestamp(nanoseconds: 1_795_341_601_000_000_000)
        )
    }

    private func withTree(_ body: (OutputTree) throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.appending(path: "out").path)
            try tree.prepare()
            try body(tree)
        }
    }

    @Test func theLastDecisionCounts() async throws {
        try await withTree { tree in
            let log = DecisionLog(tree)
            let bubble = try decision(.falseAlarm, note: "a \"bubble\",\nreally")
            for one in [try decision(.fault), try decision(.unsure, frame: nil), bubble] { try log.add(one) }
            // Another process reads what this one wrote, and sees what comes later.
            let reader = DecisionLog(tree)
            #expect(try reader.decisions(run: "01") == [decision(.unsure, frame: nil), bubble])
            #expect(try reader.decisions(run: "02").isEmpty)
            try log.add(try decision(.withdrawn))
            #expect(try reader.decisions().map(\.kind) == [.unsure])
        }
    }

    @Test func eachPersonsLastDecisionCounts() async throws {
        try await withTree { tree in
            let log = DecisionLog(tree)
            for (kind, name) in [(Decision.Kind.fault, "Bob"), (.fault, "Ada"), (.falseAlarm, "Ada")] {
                try log.add(try decision(kind, by: name))
            }
            let kept = try log.decisions()
            #expect(kept.map(\.reviewer) == ["Ada", "Bob"] && kept.map(\.kind) == [.falseAlarm, .fault])
            try log.add(try decision(.withdrawn, by: "Bob"))
            #expect(try log.decisions().map(\.reviewer) == ["Ada"])
        }
    }

    @Test func linesThatAreNoDecisionsArePassedOver() async throws {
        try await withTree { tree in
            let log = DecisionLog(tree)
            try log.add(try decision(.fault))
            let good = try String(contentsOfFile: tree.decisions, encoding: .utf8)
            let lines = [
                "", "{}", "[1]", "\u{0}\u{1}",
                good.replacing("\"B01\"", with: "\"?\"").dropLast().description,
                good.replacing(":7,", with: ":9223372036854775807,").dropLast().description,
                good.replacing(":7,", with: ":-1,").dropLast().description,
                good.replacing("\"fault\"", with: "\"maybe\"").dropLast().description, "{\"decided\":",
            ]
            try Data((lines.joined(separator: "\n") + "\n" + good + "{\"cut off").utf8)
                .write(to: URL(filePath: tree.decisions))
            #expect(try log.decisions().count == 1)
            // What a crash left half-written is cut off, and not continued.
            try log.add(try decision(.unsure, well: "C1"))
            #expect(try log.decisions().map(\.kind) == [.fault, .unsure])
        }
    }

    @Test func manyMayWriteAtOnce() async throws {
        try await withTree { tree in
            DispatchQueue.concurrentPerform(iterations: 8) { thread in
                for frame in 0..<20 {
                    guard let decision = try? decision(.fault, frame: thread * 100 + frame) else { continue }
                    try? DecisionLog(tree).add(decision)
                }
            }
            let kept = try DecisionLog(tree).decisions()
            #expect(kept.count == 160)
        }
    }

    @Test func theGroupOfTheFileMayWriteIt() async throws {
        try await withTree { tree in
            let attributes = try FileManager.default.attributesOfItem(atPath: tree.decisions)
            #expect(attributes[.posixPermissions] as? Int == 0o660)
        }
    }
}

struct ReviewsTests {
    private func decision(_ kind: Decision.Kind, _ frame: Int?, _ reviewer: String, file: String = "") throws
        -> Decision
    {
        Decision(
            run: "01",
            well: try #require(Well("B1")),
            frame: frame,
            file: file,
            kind: kind,
            note: "",
            reviewer: reviewer,
            decided: Timestamp(nanoseconds: 0)
        )
    }

    private func frame(_ index: Int) throws -> FrameID {
        FrameID(run: "01", well: try #require(Well("B1")), index: index)
    }

    @Test func aPersonsDecisionOnAFrameComesBeforeTheirsOnTheWell() throws {
        let reviews = Reviews([
            try decision(.falseAlarm, nil, "Ada"), try decision(.fault, 3, "Ada"),
        ])
        #expect(reviews.opinion(on: try frame(3), isFlagged: true) == .fault)
        #expect(reviews.opinion(on: try frame(4), isFlagged: true) == .falseAlarm)
        #expect(reviews.opinion(on: try frame(4), isFlagged: false) == nil, "nobody looked at it")
    }

    @Test func peopleWhoDoNotAllSayTheSameDisagree() throws {
        let reviews = Reviews([
            try decision(.falseAlarm, nil, "Ada"), try decision(.fault, 3, "Bob"),
            try decision(.falseAlarm, 4, "Bob"), try decision(.unsure, 5, "Bob"),
        ])
        #expect(reviews.opinion(on: try frame(3), isFlagged: true) == .disputed)
        #expect(reviews.opinion(on: try frame(4), isFlagged: true) == .falseAlarm)
        #expect(reviews.opinion(on: try frame(5), isFlagged: true) == .disputed)
    }

    @Test func eachOfTwoFilesOfAFrameHasItsOwnDecision() throws {
        let reviews = Reviews([
            try decision(.falseAlarm, 3, "Ada", file: "a"), try decision(.fault, 3, "Ada", file: "b"),
        ])
        #expect(reviews.opinion(on: try frame(3), file: "a", isFlagged: true) == .falseAlarm)
        #expect(reviews.opinion(on: try frame(3), file: "b", isFlagged: true) == .fault)
        #expect(reviews.opinion(on: try frame(3), isFlagged: true) == .disputed)
    }

    @Test func eachTwoPeopleAreCompared() throws {
        let reviews = Reviews([
            try decision(.fault, 1, "Ada"), try decision(.fault, 1, "Bob"), try decision(.fault, 2, "Cem"),
            try decision(.unsure, 1, "Cem"),
        ])
        #expect(reviews.pairs.map { "\($0.first) \($0.second)" } == ["Ada Bob", "Ada Cem", "Bob Cem"])
        #expect(reviews.pairs.map(\.agreement.items) == [1, 1, 1])
        #expect(reviews.pairs.map(\.agreement.observed) == [1, 0, 0])
    }
}

struct StatusFileTests {
    private func withFile(_ body: (StatusFile) throws -> Void) async throws {
        try await withTemporaryFolder { try body(StatusFile(path: $0.appending(path: "status.json").path)) }
    }

    private func reason(_ file: StatusFile) -> String? {
        guard case .gone(let reason, _) = file.standing else { return nil }
        return reason
    }

    @Test func whatTheDaemonSaysIsRead() async throws {
        try await withFile { file in
            #expect(reason(file) == "no daemon runs: there is no \(file.path)")
            var figures = DaemonFigures(started: Timestamp(nanoseconds: 5))
            figures.counts.judged = 3
            figures.lag = .infinity
            figures.silentFolders = [.init(name: "/data", silence: 7)]
            figures.process = .own
            try file.write(figures)
            guard case .alive(let read) = file.standing else {
                Issue.record("it does not report")
                return
            }
            #expect(read.counts == figures.counts && read.lag == .infinity && read.started == figures.started)
            #expect(read.silentFolders == figures.silentFolders)
            #expect((read.process?.residentBytes ?? 0) > 1 << 20 && (read.process?.openFiles ?? 0) > 0)
            try file.write(figures, hasStopped: true)
            #expect(reason(file)?.hasPrefix("the daemon stopped at 20") == true)
        }
    }

    @Test func aDaemonThatIsSilentIsGone() async throws {
        try await withFile { file in
            try file.write(DaemonFigures(started: .now))
            let text = try String(contentsOfFile: file.path, encoding: .utf8)
            let uptime = try #require(text.firstRange(of: /"uptime":[0-9.e+]+/))
            // Written before this machine started, and by one that has been up for longer.
            for time in ["-1000", "1e300"] {
                let other = text.replacingCharacters(in: uptime, with: "\"uptime\":\(time)")
                try Data(other.utf8).write(to: URL(filePath: file.path))
                #expect(reason(file)?.hasPrefix("the daemon has not reported since 20") == true)
            }
            for nonsense in ["", "{}", "[", String(text.dropLast(9)), String(repeating: " ", count: 2 << 20)]
            {
                try Data(nonsense.utf8).write(to: URL(filePath: file.path))
                #expect(reason(file)?.hasPrefix("no daemon") == true)
            }
        }
    }
}
