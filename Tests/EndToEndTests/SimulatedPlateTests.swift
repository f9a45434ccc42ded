import Foundation
import Ledger
import Plate
import TestSupport
import Testing

/// `simulate plate`, `watch` and `simulate check`, one after another or together.
@Suite(.serialized) struct SimulatedPlateTests {
    /// What `simulate check --json` says, as far as is asked here.
    private struct Report: Decodable {
        struct Frames: Decodable {
            let written: Int
            let judged: Int
            let missed: [String]
            let doubled: [String]
        }
        struct Latency: Decodable {
            let count: Int
            let p50: Double
        }
        let frames: Frames
        let closeToJudged: Latency
    }

    /// How a small plate is written, and under which name.
    private struct Way {
        let run: String
        let writer: String
        let layout: String
    }

    private static let ways = [
        Way(run: "plain", writer: "plain", layout: "flat"), Way(run: "slow", writer: "slow", layout: "flat"),
        Way(run: "rename", writer: "rename", layout: "flat"),
        Way(run: "burst", writer: "burst", layout: "flat"),
        Way(run: "folders", writer: "plain", layout: "per-well"),
        Way(run: "movie", writer: "plain", layout: "movie"),
        Way(run: "renamed-movie", writer: "rename", layout: "movie"),
    ]

    private struct Stage {
        let folder: URL
        let plate: TestPlate

        init(in folder: URL) throws {
            self.folder = folder
            plate = try TestPlate(in: folder)
        }

        func truth(_ run: String) -> String { folder.appending(path: "truth-\(run).csv").path }

        func plateArguments(_ way: Way, frames: Int, speed: Int) -> [String] {
            [
                "simulate", "plate", "--out", plate.watched.appending(path: way.run).path, "--run", way.run,
                "--truth", truth(way.run), "--wells", "2", "--frames", "\(frames)", "--speed", "\(speed)",
                "--writer", way.writer, "--layout", way.layout, "--width", "160", "--height", "96",
            ]
        }

        func checkArguments(_ run: String) -> [String] {
            ["simulate", "check", "--out", plate.out.path, "--truth", truth(run), "--json", json(run).path]
        }

        private func json(_ run: String) -> URL { folder.appending(path: "report-\(run).json") }

        /// Runs a command to its end; it has to succeed.
        func run(_ arguments: [String]) async throws {
            let program = try Program(arguments, in: folder)
            let status = try await program.end()
            #expect(status == 0, "\(arguments.prefix(2)): \(program.said)")
        }

        func report(_ run: String) throws -> Report {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Report.self, from: Data(contentsOf: json(run)))
        }
    }

    @Test func noFrameIsMissedHoweverItIsWrittenAndOneThatIsIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            let lost = Way(run: "lost", writer: "plain", layout: "flat")
            for way in Self.ways + [lost] {
                try await stage.run(stage.plateArguments(way, frames: 2, speed: 1000))
            }
            try FileManager.default.removeItem(
                at: stage.plate.watched.appending(path: "lost/lost_A2_f0.tiff")
            )
            try await stage.run(stage.plate.watchArguments + ["--once"])
            for way in Self.ways {
                try await stage.run(stage.checkArguments(way.run))
                let frames = try stage.report(way.run).frames
                #expect(frames.written == 4 && frames.judged == 4, "\(way.run)")
                #expect(frames.missed.isEmpty && frames.doubled.isEmpty, "\(way.run)")
            }
            let check = try Program(stage.checkArguments("lost"), in: folder)
            #expect(try await check.end() == 1)
            #expect(check.said.contains("1 frames were missed"))
            #expect(try stage.report("lost").frames.missed == ["lost_A2_f0.tiff"])
        }
    }

    @Test func aPlateIsJudgedWhileItIsWrittenAndCtrlCEndsItCleanly() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            let way = Way(run: "live", writer: "slow", layout: "per-well")
            let daemon = try Program(stage.plate.watchArguments, in: folder)
            try await until("the first listing is done") { daemon.said.contains("first listing") }
            let microscope = try Program(stage.plateArguments(way, frames: 100_000, speed: 8), in: folder)
            try await until("four frames are judged") { stage.plate.counts()[.judged, default: 0] >= 4 }
            microscope.signal(SIGINT)
            #expect(try await microscope.end() == 0)
            #expect(microscope.said.contains("ended early, with whole files"))
            let written =
                try String(contentsOfFile: stage.truth("live"), encoding: .utf8)
                .split(separator: "\n").count - 1
            try await until("all frames are judged") { stage.plate.counts()[.judged] == written }
            daemon.signal(SIGTERM)
            #expect(try await daemon.end() == 0)
            try await stage.run(stage.checkArguments("live"))
            let report = try stage.report("live")
            #expect(report.frames.written == written && report.frames.judged == written)
            #expect(report.frames.missed.isEmpty && report.frames.doubled.isEmpty)
            #expect(report.closeToJudged.count == written && report.closeToJudged.p50 >= 0)
        }
    }

    @Test func aFocusThatMovesALittleIsToldByTheWellsOwnPast() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            let script = folder.appending(path: "faults.yaml")
            try Data("faults: [{kind: z-shift, wells: [A2], onset: 13, shift: 15}]".utf8).write(to: script)
            try await stage.run([
                "simulate", "plate", "--out", stage.plate.watched.path, "--truth", stage.truth("01"),
                "--wells", "2", "--frames", "16", "--speed", "1000", "--seed", "3", "--faults", script.path,
            ])
            try await stage.run(stage.plate.watchArguments + ["--once"])
            let export = try Program(["export", stage.plate.out.path], in: folder)
            #expect(try await export.end() == 0)
            let rows = export.printed.split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
            let (well, frame, change) = try (
                #require(rows[0].firstIndex(of: "well")), #require(rows[0].firstIndex(of: "frame")),
                #require(rows[0].firstIndex(of: "change"))
            )
            for row in rows.dropFirst() {
                let isShifted = try row[well] == "A02" && #require(Int(row[frame])) >= 13
                let value = Double(row[change])
                #expect(
                    isShifted ? value.map { $0 > 5 } == true : (value ?? 0) < 5,
                    "\(row[well]) \(row[frame])"
                )
            }
            let ledger = try FrameLedger(reading: stage.plate.out.appending(path: "ledger.sqlite").path)
            // Frames that are faulty by themselves, but just above the threshold, are an onset after three of them.
            let told = try ledger.alarms(run: "01", events: [.shift, .drift, .onset])
                .map { "\($0.event.rawValue) \($0.frame.well) \($0.frame.index)" }
            #expect(told == ["SHIFT A02 14"] || told == ["ONSET A02 15"], "\(told)")
        }
    }
}
