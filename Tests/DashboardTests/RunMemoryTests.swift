import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

@testable import Dashboard

/// What the page remembers of a run: events, the worst frames, curves, and when what began.
struct RunMemoryTests {
    @Test func eventsAreListedTheLatestFirstAndByKind() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            try page.announce(.onset, "A1", frame: 3, severity: 20)
            try page.announce(.clear, "A1", frame: 6)
            try page.announce(.plate, "A1", frame: 7, pattern: "row-A", reason: "look at the plate")
            let behind = Event(.behind, at: Timestamp(nanoseconds: 5), reason: "12 s", identity: "1")
            try page.ledger.record(events: [behind])
            func events(_ query: String = "") async throws -> [[String: Any]] {
                let answer = try await page.visitor.get("/api/v1/runs/01/events\(query)")
                return try #require(try answer.json()["events"] as? [[String: Any]])
            }
            let all = try await events()
            #expect(all.map { $0["event"] as? String } == ["BEHIND", "PLATE", "CLEAR", "ONSET"])
            let onset = try #require(all.last)
            #expect(onset["well"] as? String == "A01" && onset["frame"] as? Int == 3)
            #expect(onset["time"] as? String == "2026-11-22T10:01:00.000Z")
            #expect((onset["message"] as? String)?.contains("turned faulty at frame 3") == true)
            #expect(all[1]["frame"] == nil, "an event of the plate leads to no frame")
            let turns = try await events("?event=ONSET,CLEAR")
            #expect(turns.map { $0["event"] as? String } == ["CLEAR", "ONSET"])
            let number = try #require(turns[0]["number"] as? Int)
            #expect(try await events("?event=ONSET,CLEAR&before=\(number)").count == 1)
            #expect(try await page.visitor.get("/api/v1/runs/01/events?event=ONSETS").status == 400)
        }
    }

    @Test func theWorstFrameOfAWellIsRemembered() async throws {
        try await OpenPage.with { page in
            func worst() async throws -> [String: Any]? {
                let wells = try await page.visitor.get("/api/v1/runs/01").json()["wells"] as? [[String: Any]]
                return wells?.first?["worst"] as? [String: Any]
            }
            try page.add("A1", frame: 0)
            #expect(try await worst() == nil)
            for (frame, severity) in [(3, 20.0), (4, 90), (5, 9)] {
                try page.announce(.fault, "A1", frame: frame, severity: severity)
            }
            #expect(try await worst()?["frame"] as? Int == 4)
            #expect(try await worst()?["severity"] as? Double == 90)
            try page.announce(.fault, "A1", frame: 9, severity: 12)
            #expect(try await worst()?["frame"] as? Int == 4)
            try page.announce(.fault, "A1", frame: 10, severity: 100)
            #expect(try await worst()?["frame"] as? Int == 10)
        }
    }

    @Test func curvesShowTheLastSeveritiesInTheirThreshold() async throws {
        try await OpenPage.with { page in
            for frame in 0..<70 { try page.add("A1", frame: frame, severity: frame == 69 ? 16 : 4) }
            let answer = try await page.visitor.get("/api/v1/runs/01/curves").json()
            let curve = try #require((answer["curves"] as? [String: [Double]])?["A01"])
            #expect(curve.count == 60 && curve.last == 2 && curve.first == 0.5)
        }
    }

    @Test func shadeBeginsAtTheFirstFlaggedFrameAndTimesStandBesideFrames() async throws {
        try await OpenPage.with { page in
            let states: [(Verdict, Bool)] = [
                (.faulty, false), (.normal, false), (.normal, false), (.normal, false), (.faulty, false),
                (.normal, false), (.faulty, true), (.normal, true), (.normal, false),
            ]
            for (frame, state) in states.enumerated() {
                try page.add("A1", frame: frame, verdict: state.0, wellIsFaulty: state.1)
            }
            let series = try await page.visitor.get("/api/v1/runs/01/wells/A01").json()
            let transitions = try #require(series["transitions"] as? [[String: Any]])
            #expect(transitions.map { $0["frame"] as? Int } == [6, 8])
            #expect(transitions.map { $0["from"] as? Int } == [4, nil], "frame 0 is no part of it")
            let buckets = try #require(series["buckets"] as? [[String: Any]])
            #expect(buckets.allSatisfy { $0["time"] as? String == "2026-11-22T10:00:01.000Z" })
        }
    }

    @Test func anEmptyPageSaysWhatIsWatchedAndForWhichNames() async throws {
        try await OpenPage.with { page in
            #expect(try await page.visitor.get("/api/v1/watched").status == 404)
            let pattern = "{run}_{well}_f{frame}.tif<f>"
            try page.ledger.begin(
                DaemonSession(
                    started: Timestamp(nanoseconds: 1),
                    model: "3f9ac2d41b7e",
                    precision: "int8",
                    pattern: "complexeye",
                    folders: ["/data/microscope"]
                )
            )
            let watched = try await page.visitor.get("/api/v1/watched").json()
            #expect(watched["folders"] as? [String] == ["/data/microscope"])
            #expect(watched["pattern"] as? String == pattern)
            #expect(watched["example"] as? String == "01_B1_f100.tiff")
        }
    }

    @Test func aFrameWithoutAPixelSizeHasNoScaleBar() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            let scale = try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/0/scale").json()
            #expect(scale["pixel_size"] == nil && scale["heat_high"] == nil)
            #expect(try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/1/scale").status == 404)
        }
    }
}
