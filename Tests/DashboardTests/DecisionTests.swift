import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

@testable import Dashboard

@Suite struct DecisionTests {
    private static let path = "/api/v1/runs/01/decisions"

    @Test func aDecisionIsKeptAndTheLastOneCounts() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0, verdict: .faulty)
            let first =
                "{\"well\":\"A1\",\"frame\":0,\"decision\":\"fault\",\"note\":\"bubble\",\"reviewer\":\"Ada\"}"
            #expect(try await page.visitor.post(Self.path, first).status == 201)
            let second = first.replacing("\"fault\"", with: "\"false-alarm\"")
            #expect(try await page.visitor.post(Self.path, second).status == 201)
            let whole = "{\"well\":\"A1\",\"decision\":\"unsure\"}"
            #expect(try await page.visitor.post(Self.path, whole).status == 201)
            let kept = try page.decisions()
            #expect(kept.map(\.kind) == [.unsure, .falseAlarm])
            #expect(kept.last?.note == "bubble" && kept.last?.reviewer == "Ada")
            let detail = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/0").json()
            #expect(said(detail) == ["false-alarm"])
            let withdrawn = first.replacing("\"fault\"", with: "\"withdrawn\"")
            #expect(try await page.visitor.post(Self.path, withdrawn).status == 201)
            #expect(try page.decisions().map(\.kind) == [.unsure])
        }
    }

    /// What the decisions of a frame's answer say.
    private func said(_ detail: [String: Any]) -> [String] {
        (detail["decisions"] as? [[String: Any]] ?? []).compactMap { $0["decision"] as? String }
    }

    @Test func decisionsOfTwoPeopleAreBothKeptAndCompared() async throws {
        try await OpenPage.with { page in
            for frame in 0..<4 { try page.add("A1", frame: frame, verdict: .faulty) }
            for (frame, ada, bob) in [
                (0, "fault", "fault"), (1, "false-alarm", "false-alarm"), (2, "fault", "unsure"),
            ] {
                for (name, kind) in [("Ada", ada), (" Bob ", bob)] {
                    let wish =
                        "{\"well\":\"A1\",\"frame\":\(frame),\"decision\":\"\(kind)\",\"reviewer\":\"\(name)\"}"
                    #expect(try await page.visitor.post(Self.path, wish).status == 201)
                }
            }
            let frame = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/2").json()
            #expect(said(frame) == ["fault", "unsure"])
            let all = try await page.visitor.get(Self.path).json()
            let pairs = try #require(all["agreement"] as? [[String: Any]])
            #expect(pairs.count == 1 && pairs[0]["both"] as? Int == 3)
            #expect(pairs[0]["first"] as? String == "Ada" && pairs[0]["second"] as? String == "Bob")
            // Two of three alike; by chance 2/3 * 1/3 + 1/3 * 1/3.
            let kappa = try #require(pairs[0]["kappa"] as? Double)
            #expect(abs(kappa - (2.0 / 3 - 1.0 / 3) / (1 - 1.0 / 3)) < 1e-12)
        }
    }

    @Test func whoStartedThePageDecidesUnlessAnotherNameIsGiven() async throws {
        try await OpenPage.with(reviewer: "Ada") { page in
            try page.add("A1", frame: 0, verdict: .faulty)
            let status = try await page.visitor.get("/api/v1/status").json()
            #expect(status["reviewer"] as? String == "Ada")
            for name in ["", " ", "Bob"] {
                let wish = "{\"well\":\"A1\",\"frame\":0,\"decision\":\"fault\",\"reviewer\":\"\(name)\"}"
                #expect(try await page.visitor.post(Self.path, wish).status == 201)
            }
            #expect(try page.decisions().map(\.reviewer) == ["Ada", "Bob"])
        }
    }

    @Test func flaggedFramesAreListedInTheOrderOfWellsAndTime() async throws {
        try await OpenPage.with { page in
            for (well, frame) in [("B1", 3), ("A2", 9), ("A2", 1)] {
                try page.add(well, frame: frame, verdict: .faulty)
                try page.add(well, frame: frame + 1)
            }
            let answer = try await page.visitor.get("/api/v1/runs/01/flagged").json()
            let frames = try #require(answer["frames"] as? [[String: Any]])
            let names = frames.map { "\($0["well"] as? String ?? "") \($0["frame"] as? Int ?? -1)" }
            #expect(names == ["A02 1", "A02 9", "B01 3"])
            let key = try #require(frames[0]["key"] as? String)
            let frame = try await page.visitor.get("/api/v1/runs/01/wells/A02/frames/1?file=\(key)").json()
            #expect((frame["frame"] as? [String: Any])?["key"] as? String == key)
        }
    }

    @Test(arguments: ["\\u0000", "a\\u0000b", "\\u001b[31m", "\\u0085", "\\r"])
    func controlCharactersAreRefused(text: String) async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            let start = "{\"well\":\"A1\",\"frame\":0,\"decision\":\"fault\""
            for wish in ["\(start),\"note\":\"\(text)\"}", "\(start),\"reviewer\":\"\(text)\"}"] {
                let answer = try await page.visitor.post(Self.path, wish)
                #expect(answer.status == 400 && answer.text.contains("control characters"), "\(wish)")
            }
            #expect(try page.decisions().isEmpty)
            let lines = "\(start),\"note\":\"two\\r\\nlines\\tand a tab\"}"
            #expect(try await page.visitor.post(Self.path, lines).status == 201)
            #expect(try page.decisions().first?.note == "two\nlines\tand a tab")
        }
    }

    @Test func whatIsNoDecisionIsRefused() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            for wish in [
                "", "[]", "{\"well\":\"A1\",\"decision\":\"maybe\"}",
                "{\"well\":\"ZZZ\",\"decision\":\"fault\"}",
            ] {
                #expect(try await page.visitor.post(Self.path, wish).status == 400, "\(wish)")
            }
            let nowhere = "{\"well\":\"A1\",\"frame\":9,\"decision\":\"fault\"}"
            #expect(try await page.visitor.post(Self.path, nowhere).status == 404)
            #expect(
                try await page.visitor.post(Self.path, String(repeating: " ", count: 1 << 20)).status == 413
            )
        }
    }

    @Test func aPageThatOnlyReadsSaysSo() async throws {
        try await OpenPage.with(mayDecide: false) { page in
            try page.add("A1", frame: 0)
            let answer = try await page.visitor.post(Self.path, "{\"well\":\"A1\",\"decision\":\"fault\"}")
            #expect(answer.status == 409 && answer.text.contains("only reads"))
            #expect(try await page.visitor.get(Self.path).json()["is_open"] as? Bool == false)
        }
    }

    @Test func eachViewOfAWellIsShownForItself() async throws {
        try await OpenPage.with { page in
            let views = [FrameView(field: 1, channel: "BF"), FrameView(field: 1, channel: "UV - DAPI")]
            try page.add("A1", frame: 0, severity: 1, view: views[0])
            try page.add("A1", frame: 0, severity: 2, view: views[1])
            try page.add("A1", frame: 1, severity: 3, view: views[1])
            let first = try await page.visitor.get("/api/v1/runs/01/wells/A01").json()
            #expect(first["view"] as? String == "s1_cBF" && first["frames"] as? Int == 1)
            let offered = (first["views"] as? [[String: Any]])?.compactMap { $0["words"] as? String }
            #expect(offered == ["field 1, channel BF", "field 1, channel UV - DAPI"])
            let query = "view=s1_cUV%20-%20DAPI"
            let second = try await page.visitor.get("/api/v1/runs/01/wells/A01?\(query)").json()
            #expect(second["frames"] as? Int == 2)
            let strip = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames?\(query)").json()
            #expect((strip["frames"] as? [Any])?.count == 2)
            let frame = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/0?\(query)").json()
            #expect((frame["frame"] as? [String: Any])?["severity"] as? Double == 2)
            #expect(try await page.visitor.get("/api/v1/runs/01/wells/A01?view=x").status == 400)
        }
    }

    @Test func filesThatSayTheSameFrameAreShownAndDecidedOnEach() async throws {
        try await OpenPage.with { page in
            for place in ["TimePoint_1/", "TimePoint_2/"] {
                try page.add("A1", frame: 1, verdict: .faulty, in: place)
            }
            let strip = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames").json()
            let frames = try #require(strip["frames"] as? [[String: Any]])
            let keys = frames.compactMap { $0["key"] as? String }
            #expect(Set(keys).count == 2)
            for (key, shown) in zip(keys, frames) {
                let detail = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/1?file=\(key)")
                    .json()
                let file = (detail["frame"] as? [String: Any])?["file"] as? String
                #expect(file == shown["file"] as? String)
            }
            for (key, decision) in zip(keys, ["fault", "false-alarm"]) {
                let wish = "{\"well\":\"A1\",\"frame\":1,\"file\":\"\(key)\",\"decision\":\"\(decision)\"}"
                #expect(try await page.visitor.post(Self.path, wish).status == 201)
            }
            #expect(try page.decisions().count == 2)
            let first = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/1?file=\(keys[0])")
                .json()
            #expect(said(first) == ["fault"])
        }
    }
}
