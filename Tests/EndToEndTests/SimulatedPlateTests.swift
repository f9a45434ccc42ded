import Foundation
import Ledger
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

    private struct Stage {
        let folder: URL
        let plate: TestPlate

        init(in folder: URL) throws {
            self.folder = folder
            plate = try TestPlate(in: folder)
        }

        var truth: String { folder.appending(path: "truth.csv").path }

        func plateArguments(_ writer: String, _ layout: String, frames: Int, speed: Int) -> [String] {
            [
                "simulate", "plate", "--out", plate.watched.path, "--wells", "2", "--frames", "\(frames)",
                "--speed",
                "\(speed)", "--writer", writer, "--layout", layout, "--width", "160", "--height", "96",
            ]
        }

        /// Runs a command to its end and returns its exit status.
        func run(_ arguments: [String]) async throws -> Int32 {
            let program = try Program(arguments, in: folder)
            let status = try await program.end()
            if status != 0 { Issue.record("\(arguments.prefix(2)): \(program.said)") }
            return status
        }

        func check() async throws -> Report {
            let json = folder.appending(path: "report.json")
            let arguments = [
                "simulate", "check", "--out", plate.out.path, "--truth", truth, "--json", json.path,
            ]
            #expect(try await run(arguments) == 0)
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Report.self, from: Data(contentsOf: json))
        }
    }

    @Test(
        arguments: [
            ("plain", "flat"), ("slow", "flat"), ("rename", "flat"), ("burst", "flat"), ("plain", "per-well"),
            ("plain", "movie"), ("rename", "movie"),
        ]
    )
    func noFrameOfAWrittenPlateIsMissed(writer: String, layout: String) async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            let arguments = stage.plateArguments(writer, layout, frames: 3, speed: 1000)
            #expect(try await stage.run(arguments) == 0)
            #expect(try await stage.run(stage.plate.watchArguments + ["--once"]) == 0)
            let report = try await stage.check()
            #expect(report.frames.written == 6 && report.frames.judged == 6)
            #expect(report.frames.missed.isEmpty && report.frames.doubled.isEmpty)
        }
    }

    @Test func aPlateIsJudgedWhileItIsWrittenAndCtrlCEndsItCleanly() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            let daemon = try Program(stage.plate.watchArguments, in: folder)
            try await until("the first listing is done") { daemon.said.contains("first listing") }
            let microscope = try Program(
                stage.plateArguments("slow", "per-well", frames: 100_000, speed: 20),
                in: folder
            )
            try await until("six frames are judged") { stage.plate.counts()[.scored, default: 0] >= 6 }
            microscope.signal(SIGINT)
            #expect(try await microscope.end() == 0)
            #expect(microscope.said.contains("ended early, with whole files"))
            daemon.signal(SIGTERM)
            #expect(try await daemon.end() == 0)
            // What the daemon had not listed yet when it was stopped.
            #expect(try await stage.run(stage.plate.watchArguments + ["--once"]) == 0)
            let report = try await stage.check()
            #expect(report.frames.written >= 6 && report.frames.judged == report.frames.written)
            #expect(report.frames.missed.isEmpty && report.frames.doubled.isEmpty)
            #expect(report.closeToJudged.count == report.frames.written)
            #expect(report.closeToJudged.p50 >= 0)
        }
    }

    @Test func aMissedFrameIsNamedAndFailsTheCheck() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            #expect(try await stage.run(stage.plateArguments("plain", "flat", frames: 1, speed: 1000)) == 0)
            try FileManager.default.removeItem(at: stage.plate.watched.appending(path: "01_A2_f0.tiff"))
            #expect(try await stage.run(stage.plate.watchArguments + ["--once"]) == 0)
            let check = try Program(
                ["simulate", "check", "--out", stage.plate.out.path, "--truth", stage.truth],
                in: folder
            )
            #expect(try await check.end() == 1)
            #expect(check.said.contains("1 frames were missed"))
        }
    }
}
