import Detection
import Foundation
import Ledger
import Plate
import TestSupport
import Testing

/// `watch --learn` and `train --from` on simulated plates, as a user sees them.
@Suite(.serialized) struct LearningTests {
    /// Folders of a small plate, and what is run on them.
    private struct Stage {
        let folder: URL

        func path(_ name: String) -> String { folder.appending(path: name).path }

        /// Runs a command to its end; it has to succeed.
        @discardableResult
        func run(_ arguments: [String]) async throws -> Program {
            let program = try Program(arguments, in: folder)
            let status = try await program.end()
            #expect(status == 0, "\(arguments.prefix(2)): \(program.said)")
            return program
        }

        func play(_ name: String, wells: Int, frames: Int, seed: Int) async throws {
            try await run([
                "simulate", "plate", "--out", path(name), "--truth", path("\(name).csv"), "--run", "7",
                "--wells", "\(wells)", "--frames", "\(frames)", "--speed", "1000", "--width", "320",
                "--height",
                "256", "--seed", "\(seed)", "--faults", path("none.yaml"),
            ])
        }

        func watch(_ names: String...) -> [String] {
            [
                "watch", "--model", path("small.safetensors"), "--out", path("out"), "--threads", "1",
                "--precision", "f32", "--learn", "4",
            ] + names.map(path)
        }

        /// The models that judged, by name, with how many frames each.
        func models() throws -> [String: Int] {
            var models: [String: Int] = [:]
            try FrameLedger(reading: path("out/ledger.sqlite")).forEach {
                models[$0.model ?? "", default: 0] += 1
            }
            return models
        }
    }

    /// The shipped model with what small simulated frames taught.
    private func withSmallModel(_ body: (Stage) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let stage = Stage(folder: folder)
            try Data("faults: []\n".utf8).write(to: folder.appending(path: "none.yaml"))
            // Another plate, and as many wells as frames: what it knows of wells is no more than a run of its own can teach.
            try await stage.play("calibrating", wells: 32, frames: 1, seed: 5)
            try await stage.run([
                "calibrate", Program.model, "--normal", stage.path("calibrating"), "--out",
                stage.path("small.safetensors"),
            ])
            try await body(stage)
        }
    }

    @Test func aRunTeachesGoesOnAfterARestartAndLeavesAModel() async throws {
        try await withSmallModel { stage in
            try await stage.play("plate", wells: 16, frames: 8, seed: 4)
            let daemon = try Program(stage.watch("plate"), in: stage.folder)
            try await until("the run is calibrated", by: daemon) {
                daemon.said.contains("calibration on its own first frames from now on")
            }
            daemon.signal(SIGTERM)
            #expect(try await daemon.end() == 0)
            let line = try #require(
                daemon.said.split(separator: "\n").first {
                    $0.contains("calibration on its own first frames from now on")
                }
            )
            for field in [
                "run=7", "frames=", "threshold=", "injected_faults_found=", "false_alarms_expected=",
            ] {
                #expect(line.contains(field), "\(field) in \(line)")
            }
            let (model, name) = try Model.read(path: stage.path("out/7/learned.safetensors"))
            #expect(model.description.calibratedOn?.run == "7")

            try await stage.play("more", wells: 12, frames: 2, seed: 4)
            let again = try await stage.run(stage.watch("plate", "more") + ["--once"])
            #expect(again.said.contains("goes on with the calibration on its own first frames"))
            #expect(try stage.models()[name, default: 0] >= 24)
            let score = try await stage.run([
                "score", "--model", stage.path("out/7/learned.safetensors"), stage.path("more"),
            ])
            #expect(score.printed.split(separator: "\n").count == 25)
        }
    }

    @Test func aPlateOfTwoWellsSaysWhyItTeachesNothing() async throws {
        try await withSmallModel { stage in
            try await stage.play("plate", wells: 2, frames: 40, seed: 4)
            let daemon = try Program(stage.watch("plate"), in: stage.folder)
            try await until("the run is refused", by: daemon) {
                daemon.said.contains("is not calibrated on its first frames")
            }
            daemon.signal(SIGTERM)
            #expect(try await daemon.end() == 0)
            #expect(daemon.said.contains("too few to calibrate on; 30 of 4 would do"))
            #expect(try stage.models().count == 1)
        }
    }

    @Test func fineTuningSaysWhetherFaultsAreFoundBetter() async throws {
        try await withTemporaryFolder { folder in
            let stage = Stage(folder: folder)
            try Data("faults: []\n".utf8).write(to: folder.appending(path: "none.yaml"))
            try await stage.play("plate", wells: 6, frames: 1, seed: 6)
            let program = try await stage.run([
                "train", "--from", Program.model, "--normal", stage.path("plate"), "--out",
                stage.path("mine.safetensors"), "--steps", "2", "--batch", "2",
            ])
            for row in ["image AUC", "as it was  ", "as it was, calibrated here", "trained, calibrated here"]
            {
                #expect(program.said.contains(row), "\(row) in \(program.said)")
            }
            #expect(program.said.contains("\ntraining "))
        }
    }
}
