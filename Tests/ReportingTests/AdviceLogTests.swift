import Foundation
import Plate
import TestSupport
import Testing

@testable import Reporting

struct AdviceLogTests {
    private func advice(_ action: Advice.Action = .stop) throws -> Advice {
        Advice(
            id: "adv_1",
            run: "01",
            action: action,
            wells: [try #require(Well("B1")), try #require(Well("C10"))],
            reason: "2 of 4 wells are faulty",
            since: Timestamp(nanoseconds: 1_795_341_601_123_000_000),
            frame: 20
        )
    }

    private func answer(_ state: Advice.State, _ by: String, _ note: String = "") -> Advice.Answer {
        Advice.Answer(state, by: by, note: note, at: Timestamp(nanoseconds: 1_795_341_602_000_000_000))
    }

    @Test func theFirstAcknowledgementCountsAndAnEndIsAnEnd() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            // Two processes.
            let (scope, page) = (AdviceLog(tree), AdviceLog(tree))
            let advice = try advice()
            #expect(try scope.answer(advice, answer(.acknowledged, "scope")).isTaken)
            let late = try page.answer(advice, answer(.acknowledged, "Ada"))
            #expect(!late.isTaken && late.advice.answer?.by == "scope")
            // An answer whose receipt was lost.
            #expect(try scope.answer(advice, answer(.acknowledged, "scope")).isTaken)
            #expect(try scope.answer(advice, answer(.done, "scope", "after 7 frames")).isTaken)
            for state in [Advice.State.acknowledged, .refused, .expired] {
                #expect(try !page.answer(advice, answer(state, "Ada")).isTaken)
            }
            let standing = try page.following(advice)
            #expect(standing.state == .done && standing.answer?.note == "after 7 frames")
            let lines = try String(contentsOfFile: tree.adviceAnswers, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 2)
        }
    }

    @Test func ofManyAtOnceOneActs() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            let advice = try advice()
            let taken = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        (try? AdviceLog(tree).answer(advice, answer(.acknowledged, "scope \(number)")).isTaken)
                            ?? false
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == 1)
        }
    }

    @Test func theFileSaysTheSameInTheTermsOfUseq() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            func file(_ advice: Advice) throws -> [String: Any] {
                try AdviceRecord.write(advice, to: tree)
                let data = try Data(contentsOf: URL(filePath: tree.advice(run: "01", id: "adv_1")))
                return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            }
            let stop = try file(advice())
            #expect(stop["state"] as? String == "pending" && stop["by"] as? String == "")
            #expect(stop["wells"] as? [String] == ["B01", "C10"])
            #expect(stop["since"] as? String == "2026-11-22T10:00:01.123Z")
            let events = try #require(stop["useq"] as? [[String: Any]])
            #expect(events.count == 1 && events[0]["pos_name"] == nil)
            #expect((events[0]["action"] as? [String: String])?["name"] == "stop")
            let refocus = try #require(try file(advice(.refocus))["useq"] as? [[String: Any]])
            #expect(refocus.compactMap { $0["pos_name"] as? String } == ["B01", "C10"])
            #expect((refocus[0]["action"] as? [String: String])?["type"] == "hardware_autofocus")
            let done = try #require(try advice().answered(answer(.done, "scope", "note")))
            #expect(AdviceRecord.isBehind(done, in: tree))
            #expect(try file(done)["state"] as? String == "done")
            #expect(!AdviceRecord.isBehind(done, in: tree))
        }
    }

    @Test(arguments: [
        "", "[]", "{\"state\":\"done\"}", "{\"state\":\"pending\",\"by\":\"x\"}",
        "{\"state\":\"expired\",\"by\":\"x\"}",
        "{\"state\":\"done\",\"by\":\"\"}", "{\"state\":\"done\",\"by\":\"autoqc\"}",
        "{\"state\":\"done\",\"by\":\"a\\u0000\"}",
        "{\"state\":\"done\",\"by\":\"x\",\"note\":\"\\u001b[31m\"}",
    ])
    func whatIsNoReplyIsRefusedWithASentence(text: String) {
        let mistake = #expect(throws: AdviceReply.Mistake.self) {
            try AdviceReply.answer(text.utf8, at: Timestamp(nanoseconds: 0))
        }
        #expect((mistake?.description.count ?? 0) > 30)
    }
}
