import Foundation
import Frames
import Ledger
import Plate
import Reporting
import Rules
import TestSupport
import Testing

@testable import Dashboard

@Suite struct PageTests {
    @Test func wellsShowTheirStates() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            try page.add("A2", frame: 0, verdict: .faulty, wellIsFaulty: true, severity: 40)
            try page.add("A3", frame: 0, verdict: .faulty, severity: 9)
            try page.add("A3", frame: 1)
            try page.add("A4", frame: 0)
            try page.addUnreadable("A4", frame: 1)
            try page.add("A5", frame: 0)
            try page.addStall("A5", frame: 0)
            // Two frames of glare: the well waits for its CLEAR.
            for frame in 0..<2 {
                try page.add("A6", frame: frame, verdict: .faulty, wellIsFaulty: true, severity: 40)
            }
            try page.add("A6", frame: 2, wellIsFaulty: true)
            // Another one had it.
            try page.add("A7", frame: 0)
            try page.announce(.onset, "A7", frame: 0)
            let answer = try await page.visitor.get("/api/v1/runs/01")
            #expect(answer.status == 200)
            let plate = try answer.json()
            #expect(plate["rows"] as? Int == 8 && plate["columns"] as? Int == 12)
            let wells = try #require(plate["wells"] as? [[String: Any]])
            let states = wells.reduce(into: [:]) { $0[$1["well"] as? String] = $1["state"] as? String }
            #expect(
                states == [
                    "A01": "normal", "A02": "faulty", "A03": "suspect", "A04": "unreadable", "A05": "stalled",
                    "A06": "recovered", "A07": "recovered",
                ]
            )
        }
    }

    @Test func aWellWithAnUnreadableFrameHasItsSeries() async throws {
        try await OpenPage.with { page in
            try page.add("C1", frame: 0)
            try page.addUnreadable("C1", frame: 1)
            let answer = try await page.visitor.get("/api/v1/runs/01/wells/C01")
            #expect(answer.status == 200)
            let buckets = try #require(try answer.json()["buckets"] as? [[String: Any]])
            #expect(buckets.reduce(0) { $0 + ($1["unreadable"] as? Int ?? 0) } == 1)
        }
    }

    @Test func aRunThatIsNotThereIsNoEmptyPlate() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            for path in ["", "/wells/A01", "/wells/A01/frames", "/wells/A01/frames/0", "/decisions"] {
                let answer = try await page.visitor.get("/api/v1/runs/other%20run\(path)")
                #expect(answer.status == 404, "\(path)")
                #expect(try answer.json()["error"] is String)
                #expect(try await page.visitor.get("/api/v1/runs/01\(path)").status == 200, "\(path)")
            }
            let sentence = try await page.visitor.get("/api/v1/runs/other%20run").json()["error"] as? String
            #expect(sentence?.contains("other run") == true && sentence?.contains("/api/v1/runs") == true)
            // A well whose first frame is still to come is one of the run all the same.
            #expect(try await page.visitor.get("/api/v1/runs/01/wells/B02").status == 200)
        }
    }

    @Test func theLensesOfARunStandBesideTheirPast() async throws {
        try await OpenPage.with { page in
            func lenses(_ run: String) async throws -> [[String: Any]] {
                let answer = try await page.visitor.get("/api/v1/runs/\(run)/lenses")
                return try #require(try answer.json()["lenses"] as? [[String: Any]])
            }
            for run in 0..<7 {
                let severity = run == 6 ? 5 : 1 + 0.1 * Double(run % 3)
                try page.add("A1", frame: 0, severity: severity, run: "\(run)")
                try page.add("A2", frame: 0, severity: 1, run: "\(run)")
            }
            let last = try await lenses("6")
            #expect(last.map { $0["lens"] as? Int } == [1, 2])
            #expect(last.map { $0["is_out"] as? Bool } == [true, false])
            #expect((last[0]["runs"] as? [Any])?.count == 7)
            #expect(try await lenses("1")[0]["deviation"] == nil, "a single run before tells nothing")
            // What was found of a run is not kept beyond its next frame.
            for frame in 1..<4 { try page.add("A1", frame: frame, severity: 1, run: "6") }
            #expect(try await lenses("6").map { $0["is_out"] as? Bool } == [false, false])
        }
    }

    @Test func everyMistakeHasOneShape() async throws {
        try await OpenPage.with { page in
            for path in [
                "/api/v1/runs/01/wells/Z99", "/api/v1/nothing", "/api/v1/runs/01/wells/C01/frames/x",
            ] {
                let answer = try await page.visitor.get(path)
                #expect(answer.status == 400 || answer.status == 404)
                #expect(try answer.json()["error"] is String, "\(path)")
            }
        }
    }

    @Test func whatFaultyWellsHaveInCommonIsSaidWhileItHolds() async throws {
        try await OpenPage.with { page in
            for well in ["B1", "B3", "B4", "B5"] { try page.add(well, frame: 7) }
            for well in ["B2", "B6", "B10"] {
                try page.add(well, frame: 7, verdict: .faulty, wellIsFaulty: true, severity: 20)
            }
            func announce(_ event: Alarm.Event, frame: Int) throws {
                try page.announce(event, "B2", frame: frame, pattern: "lens-6", reason: "as it was then")
            }
            func patterns() async throws -> [String] {
                let plate = try await page.visitor.get("/api/v1/runs/01").json()
                let patterns = try #require(plate["patterns"] as? [[String: Any]])
                return patterns.compactMap { $0["reason"] as? String }
            }
            #expect(try await patterns().isEmpty)
            try announce(.plate, frame: 7)
            let three = "3 of its 3 wells are faulty (B02 B06 B10): clean and refocus lens 6"
            #expect(try await patterns() == [three])
            try page.add("F2", frame: 7, verdict: .faulty, wellIsFaulty: true, severity: 20)
            #expect(try await patterns()[0].hasPrefix("4 of its 4 wells are faulty (B02 B06 B10 F02)"))
            // They pass again, and only their CLEAR is still to come.
            for well in ["B2", "B6", "B10", "F2"] { try page.add(well, frame: 8, wellIsFaulty: true) }
            #expect(try await patterns().isEmpty)
            for well in ["B2", "B6", "B10", "F2"] {
                try page.add(well, frame: 9, verdict: .faulty, wellIsFaulty: true, severity: 20)
            }
            #expect(try await patterns().count == 1)
            try announce(.plateClear, frame: 9)
            #expect(try await patterns().isEmpty)
        }
    }

    @Test func aFlaggedFrameComesWithPictureMaskAndOutline() async throws {
        try await OpenPage.with { page in
            try page.add("B2", frame: 7, verdict: .faulty, severity: 20)
            let base = "/api/v1/runs/01/wells/B02/frames/7"
            let detail = try await page.visitor.get(base).json()
            #expect(detail["outline"] as? [[Int]] == [[20, 5, 20, 15, 10, 15, 10, 5, 20, 5]])
            let picture = try await page.visitor.get("\(base)/image.png?width=32")
            #expect(picture.headers["content-type"] == "image/png")
            #expect(picture.body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            // Width and height in the header of the PNG file.
            #expect(Array(picture.body[16..<24]) == [0, 0, 0, 32, 0, 0, 0, 20])
            let mask = try await page.visitor.get("\(base)/mask.tiff")
            #expect(
                try mask.body
                    == Data(contentsOf: URL(filePath: "\(page.tree.root)/01/masks/01_B2_f7.mask.tiff"))
            )
            #expect(try await page.visitor.get("\(base)/mask.geojson").text.contains("FeatureCollection"))
            #expect(try await page.visitor.get("\(base)/heat.png").status == 404, "no score map was kept")
            #expect(try await page.visitor.get("/api/v1/runs/01/wells/B02/frames/8").status == 404)
        }
    }

    @Test func aPictureIsThatOfTheFrameThatWasJudged() async throws {
        try await OpenPage.with { page in
            try page.add("B2", frame: 7)
            try page.add("B2", frame: 8)
            let base = "/api/v1/runs/01/wells/B02/frames"
            let other = Frame(height: 40, width: 64, pixels: (0..<64 * 40).map { Float($0 % 40 * 4) })
            let path = page.folder.appending(path: "in/01_B2_f7.tiff").path
            // A file that was touched is the same one.
            #expect(unsafe utimensat(AT_FDCWD, path, nil, 0) == 0)
            #expect(try await page.visitor.get("\(base)/7/frame.tiff").status == 200)
            try TIFFWriter.write(other, to: path)
            for name in ["image.png?width=32", "frame.tiff"] {
                let answer = try await page.visitor.get("\(base)/7/\(name)")
                #expect(answer.status == 409)
                #expect(answer.text.contains("another frame now than the one that was judged"))
                #expect(try await page.visitor.get("\(base)/8/\(name)").status == 200)
            }
        }
    }

    @Test func aFlaggedFrameSaysWhy() async throws {
        try await OpenPage.with { page in
            try page.add("B2", frame: 7, verdict: .faulty, severity: 20)
            try page.add("B2", frame: 8, severity: 1)
            let strip = try await page.visitor.get("/api/v1/runs/01/wells/B02/frames").json()
            let frames = try #require(strip["frames"] as? [[String: Any]])
            let (normal, flagged) = (frames[0], frames[1])
            #expect(
                flagged["explanation"] as? String
                    == "severity 20.0 (limit 8.0): mostly tiles_top, in the upper left"
            )
            #expect(flagged["term"] as? String == "tiles_top" && flagged["cause"] as? String == "air-bubble")
            #expect(flagged["confidence"] as? Double == 0.75)
            #expect(flagged["terms"] as? [String: Double] == ["level": 0.5, "tiles_top": 19.5])
            #expect(normal["terms"] as? [String: Double] == ["level": 0.5, "tiles_top": 0.5])
            for name in ["explanation", "term", "cause", "confidence"] {
                #expect(normal[name] == nil, "\(name)")
            }
        }
    }

    @Test func aLongSeriesIsSentAsFewMarksThatKeepItsPeaks() async throws {
        try await OpenPage.with { page in
            let well = try #require(Well("C3"))
            let records = (0..<5000).map { frame in
                Self.record(well, frame: frame, isFaulty: frame == 1234)
            }
            try page.ledger.record(records)
            let series = try await page.visitor.get("/api/v1/runs/01/wells/C03").json()
            let buckets = try #require(series["buckets"] as? [[String: Any]])
            #expect(buckets.count <= 480)
            #expect(buckets.contains { ($0["high"] as? Double ?? 0) == 99 && $0["flagged"] as? Int == 1 })
            let range = try #require(series["range"] as? [String: Any])
            #expect(range["last_good"] as? Int == 1233 && range["first_bad"] as? Int == 1234)
            let transitions = try #require(series["transitions"] as? [[String: Any]])
            #expect(transitions.map { $0["event"] as? String } == ["ONSET", "CLEAR"])
            let strip = try await page.visitor.get("/api/v1/runs/01/wells/C03/frames?limit=100000").json()
            #expect((strip["frames"] as? [Any])?.count == 60)
        }
    }

    private static func record(_ well: Well, frame: Int, isFaulty: Bool) -> FrameRecord {
        var judgement = Judgement(
            verdict: isFaulty ? .faulty : .normal,
            severity: isFaulty ? 99 : 1,
            threshold: 8,
            scores: ImageScores(maximum: 1, mean: 1, patch: 1),
            score: 1,
            area: 0,
            boundingBox: nil
        )
        judgement.wellIsFaulty = isFaulty
        return FrameRecord(
            source: FrameSource(root: "/in", path: "\(well)_\(frame)"),
            frame: FrameID(run: OpenPage.run, well: well, index: frame),
            outcome: .judged(judgement),
            model: "3f9ac2d41b7e",
            completed: nil,
            judged: Timestamp(nanoseconds: 1)
        )
    }

    @Test func anOpenPageHearsOfEveryOutcome() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            let heard = try await page.visitor.listen(to: "/api/v1/events?run=01", until: "\"A02\"") {
                try page.add("A2", frame: 0, verdict: .faulty, severity: 12)
            }
            #expect(heard.contains("event: status"))
            #expect(heard.contains("event: plate\nid: 1\n"))
            #expect(heard.contains("event: plate\nid: 2\n"))
        }
    }

    @Test func metricsAreReadableByPrometheus() async throws {
        try await OpenPage.with(daemon: {
            var figures = DaemonFigures(started: Timestamp(nanoseconds: 0))
            figures.counts.judged = 3
            figures.latency.upTo = [.init(seconds: 0.5, frames: 2), .init(seconds: 1, frames: 3)]
            figures.latency.all = 3
            figures.parts = [.init(name: "judging 1", silence: 0.25)]
            return .alive(figures)
        }) { page in
            try page.add("A1", frame: 0)
            try page.addStall("A1", frame: 0)
            let answer = try await page.visitor.get("/metrics")
            #expect(answer.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            for line in [
                "autoqc_frames_judged_total{outcome=\"normal\"} 3",
                "autoqc_latency_seconds_bucket{le=\"0.5\"} 2",
                "autoqc_latency_seconds_bucket{le=\"+Inf\"} 3", "autoqc_latency_seconds_count 3",
                "autoqc_part_silence_seconds{part=\"judging 1\"} 0.25",
                "autoqc_row_frames{run=\"01\",row=\"A\",verdict=\"normal\"} 1",
                "autoqc_wells{run=\"01\",state=\"stalled\"} 1", "autoqc_daemon_up 1",
                "autoqc_build_info{version=\"\(BuildInfo.version)\"} 1",
                "autoqc_alarms_total{event=\"STALLED\",cause=\"none\"} 1",
                "autoqc_last_frame_timestamp_seconds 1795341601",
            ] {
                #expect(answer.text.contains(line + "\n"), "\(line)")
            }
            #expect(answer.text.contains("\nprocess_resident_memory_bytes "))
            try page.addStall("A1", frame: 1)
            let later = try await page.visitor.get("/metrics").text
            #expect(later.contains("autoqc_alarms_total{event=\"STALLED\",cause=\"none\"} 2\n"))
            #expect(try await page.visitor.get("/healthz").text == "ok\n")
        }
    }

    @Test func theCanaryIsInStatusAndMetrics() async throws {
        try await OpenPage.with(daemon: {
            var figures = DaemonFigures(started: Timestamp(nanoseconds: 0))
            let round = CanaryRound(
                time: Timestamp(nanoseconds: 7_000_000_000),
                model: "3f9ac2d41b7e",
                precision: "int8",
                threshold: 5,
                frames: "01_A01_f0",
                leftOut: 0,
                tallies: [
                    CanaryRound.Tally(cause: .airBubble, copies: 4, found: 4),
                    CanaryRound.Tally(cause: .zShift, copies: 4, found: 1),
                ],
                cost: .seconds(1)
            )
            figures.canary = DaemonFigures.Canary(round: round, alarm: "too little is found")
            return .alive(figures)
        }) { page in
            let status = try await page.visitor.get("/api/v1/status").json()
            let daemon = try #require(status["daemon"] as? [String: Any])
            let canary = try #require(daemon["canary"] as? [String: Any])
            #expect(canary["sensitivity"] as? Double == 0.625)
            #expect(canary["alarm"] as? String == "too little is found")
            let causes = try #require(canary["causes"] as? [[String: Any]])
            #expect(causes.map { $0["found"] as? Int } == [4, 1])
            let metrics = try await page.visitor.get("/metrics").text
            for line in [
                "autoqc_canary_found{cause=\"z-shift\"} 1", "autoqc_canary_copies{cause=\"z-shift\"} 4",
                "autoqc_canary_timestamp_seconds 7", "autoqc_canary_alarm 1",
            ] {
                #expect(metrics.contains(line + "\n"), "\(line)")
            }
        }
    }

    @Test func aDaemonThatIsStuckIsNotHealthy() async throws {
        try await OpenPage.with(daemon: {
            var figures = DaemonFigures(started: Timestamp(nanoseconds: 0))
            figures.watchdog = 30
            figures.parts = [.init(name: "judging 1", silence: 31)]
            return .alive(figures)
        }) { page in
            let answer = try await page.visitor.get("/healthz")
            #expect(answer.status == 503 && answer.text.contains("judging 1"))
        }
    }

    @Test func healthSaysWhatIsInTheWayAndSinceWhen() async throws {
        try await OpenPage.with(daemon: {
            var figures = DaemonFigures(started: Timestamp(nanoseconds: 0))
            let reason = "Cannot write \"/out\" (No space left on device): free some space there."
            figures.obstacles = [
                .init(reason: reason, since: Timestamp(nanoseconds: 1_795_341_600_000_000_000))
            ]
            figures.silentFolders = [.init(name: "/data/microscope", silence: 34.5)]
            figures.waiting = 98
            figures.waitingSince = Timestamp(nanoseconds: 1_795_341_601_000_000_000)
            return .alive(figures)
        }) { page in
            let answer = try await page.visitor.get("/healthz")
            #expect(answer.status == 503)
            let lines = answer.text.split(separator: "\n")
            #expect(
                lines.first?.hasPrefix("waits since 2026-11-22T10:00:00.000Z: Cannot write \"/out\"") == true
            )
            #expect(lines.dropFirst().first == "no answer for 34 s: /data/microscope")
            #expect(lines.last == "98 frames wait, the oldest since 2026-11-22T10:00:01.000Z")
            #expect(try await page.visitor.get("/").status == 200, "the page itself shows it")
        }
    }

    @Test func aDaemonThatIsGoneIsSaidWithWhatItSaidLast() async throws {
        var figures = DaemonFigures(started: Timestamp(nanoseconds: 0))
        figures.counts.judged = 3
        let last = figures
        try await OpenPage.with(daemon: {
            .gone(reason: "the daemon has not reported since noon", last: last)
        }) { page in
            try page.add("A1", frame: 0)
            let answer = try await page.visitor.get("/healthz")
            #expect(answer.status == 503 && answer.text == "the daemon has not reported since noon\n")
            let status = try await page.visitor.get("/api/v1/status").json()
            #expect(status["daemon_gone"] as? String == "the daemon has not reported since noon")
            let daemon = status["daemon"] as? [String: Any]
            #expect(daemon?["is_alive"] as? Bool == false && daemon?["judged"] as? Int == 3)
            let metrics = try await page.visitor.get("/metrics").text
            #expect(metrics.contains("autoqc_daemon_up 0\n") && metrics.contains("autoqc_wells{"))
        }
    }

    @Test func thePageIsThereBeforeTheLedgerAndAfterItWasMadeAnew() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            #expect(try await page.visitor.get("/api/v1/runs/01").status == 200)
            for ending in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: page.tree.ledger + ending)
            }
            #expect(try await page.visitor.get("/").status == 200)
            #expect(try await page.visitor.get("/api/v1/runs").text == "[]")
            let missing = try await page.visitor.get("/api/v1/runs/01")
            #expect(missing.status == 503 && missing.text.contains("it is not there"))
            let ledger = try FrameLedger(path: page.tree.ledger)
            #expect(try await page.visitor.get("/api/v1/runs/01").status == 404)
            try ledger.close()
        }
    }
}
