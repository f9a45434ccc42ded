import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

@testable import Dashboard

struct AdviceRoutesTests {
    private static let path = "/api/v1/advice"

    private static func give(_ id: String, run: String = OpenPage.run, _ page: OpenPage) throws {
        let advice = Advice(
            id: id,
            run: run,
            action: .skipWell,
            wells: [try #require(Well("B1"))],
            reason: "well B01 has been faulty for 10 frames (contamination)",
            since: Timestamp(nanoseconds: 1_795_341_601_123_000_000),
            frame: 30
        )
        try page.ledger.record([], advice: [advice])
    }

    private static func listed(_ page: OpenPage, _ query: String = "") async throws -> [[String: Any]] {
        let answer = try await page.visitor.get(path + query)
        #expect(answer.status == 200)
        return try #require(
            try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [[String: Any]]
        )
    }

    @Test func adviceIsListedByRunAndState() async throws {
        try await OpenPage.with { page in
            #expect(try await Self.listed(page).isEmpty)
            try Self.give("adv_1", page)
            try Self.give("adv_2", run: "02", page)
            let first = try #require(try await Self.listed(page, "?run=01").first)
            #expect(first["id"] as? String == "adv_1" && first["action"] as? String == "skip-well")
            #expect(first["wells"] as? [String] == ["B01"] && first["state"] as? String == "pending")
            #expect(Set(first.keys).isSuperset(of: ["run", "reason", "since", "by", "at", "note", "useq"]))
            #expect(try await Self.listed(page, "?state=pending").count == 2)
            #expect(try await Self.listed(page, "?state=done").isEmpty)
            #expect(try await page.visitor.get(Self.path + "?state=maybe").status == 400)
        }
    }

    @Test func theFirstAcknowledgementCounts() async throws {
        try await OpenPage.with { page in
            try Self.give("adv_1", page)
            let path = "\(Self.path)/adv_1"
            let mine = "{\"state\":\"acknowledged\",\"by\":\"Ada\"}"
            #expect(try await page.visitor.post(path, mine).status == 201)
            #expect(try await page.visitor.post(path, mine).status == 201, "its receipt may have been lost")
            let late = try await page.visitor.post(path, mine.replacing("Ada", with: "Bob"))
            #expect(late.status == 409 && late.text.contains("acknowledged by Ada"))
            let done = "{\"state\":\"done\",\"by\":\"Ada\",\"note\":\"skipped\"}"
            let answer = try await page.visitor.post(path, done)
            #expect(answer.status == 201)
            #expect(try answer.json()["note"] as? String == "skipped")
            #expect(try await page.visitor.post(path, done.replacing("done", with: "refused")).status == 409)
            #expect(try await Self.listed(page, "?state=done").count == 1)
        }
    }

    @Test func whatCannotCountIsRefused() async throws {
        try await OpenPage.with { page in
            try Self.give("adv_1", page)
            let answer = "{\"state\":\"done\",\"by\":\"Ada\"}"
            #expect(try await page.visitor.post("\(Self.path)/adv_9", answer).status == 404)
            for wish in [
                "", "{\"state\":\"expired\",\"by\":\"Ada\"}", "{\"state\":\"done\",\"by\":\"a\\u0000\"}",
            ] {
                #expect(try await page.visitor.post("\(Self.path)/adv_1", wish).status == 400, "\(wish)")
            }
            let elsewhere = try await page.visitor.post(
                "\(Self.path)/adv_1",
                answer,
                ["Origin": "http://elsewhere.example"]
            )
            #expect(elsewhere.status == 403)
            #expect(try await Self.listed(page, "?state=pending").count == 1)
        }
        try await OpenPage.with(mayDecide: false) { page in
            try Self.give("adv_1", page)
            let answer = try await page.visitor.post(
                "\(Self.path)/adv_1",
                "{\"state\":\"done\",\"by\":\"Ada\"}"
            )
            #expect(answer.status == 409 && answer.text.contains("only reads"))
        }
    }
}
