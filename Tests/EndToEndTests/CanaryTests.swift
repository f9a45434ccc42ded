import Foundation
import Ledger
import Plate
import Reporting
import TestSupport
import Testing

/// The daemon's test of itself, with the shipped model on a part of a real frame.
@Suite(.serialized) struct CanaryTests {
    private struct Stage {
        let plate: TestPlate
        let configuration: URL
        private let folder: URL

        init(in folder: URL) throws {
            self.folder = folder
            plate = try TestPlate(in: folder)
            configuration = folder.appending(path: "plate.yaml")
        }

        /// Three frames are fifteen faults.
        func configure(every: String, threshold: String = "calibrated") throws {
            let text = """
                model: \(Program.model)
                output: \(plate.out.path)
                watch: [\(plate.watched.path)]
                threads: 1
                threshold: \(threshold)
                canary: {every: \(every), frames: 3}

                """
            try Data(text.utf8).write(to: configuration)
        }

        var watchArguments: [String] { ["watch", "--config", configuration.path] }

        /// A part of the normal example frame in a few wells: rounds have the lowest priority, and are not to take long on a busy
        /// machine.
        func addFrames(_ index: Int) throws {
            let frame = try TestPlate.crop(
                "01_A1_f300",
                top: 200,
                left: 300,
                height: 320,
                width: 480,
                in: folder
            )
            for well in ["A1", "B2", "C3"] {
                try frame.write(to: plate.watched.appending(path: "01_\(well)_f\(index).tiff"))
            }
        }

        /// The lines of the log by their keys, read beside the daemon that writes it.
        func lines() -> [[String: String]] {
            let log = plate.out.appending(path: "canary.log")
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").compactMap { Logfmt.fields(of: $0) }
        }

        func events() -> [String] { lines().compactMap { $0["event"] } }
    }

    @Test func aSoundDetectorFindsWhatABlindedOneIsAlarmedFor() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            try stage.configure(every: "1s")
            let program = try Program(stage.watchArguments, in: folder)
            try stage.addFrames(0)
            try await until("a round is done", by: program) {
                !stage.events().isEmpty
            }
            let sound = try #require(stage.lines().first)
            #expect(sound["copies"].flatMap { Int($0) }.map { $0 >= 12 } == true, "\(sound)")
            #expect(sound["sensitivity"].flatMap { Double($0) }.map { $0 >= 0.8 } == true, "\(sound)")
            #expect(stage.events() == ["ROUND"])
            // Nothing is seen above such a threshold.
            try stage.configure(every: "1s", threshold: "1e9")
            program.signal(SIGHUP)
            try await until("the alarm is raised", by: program) {
                stage.events().contains("CANARY")
            }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            #expect(stage.lines().last { $0["event"] == "ROUND" }?["found"] == "0")

            // The run knows nothing of it.
            #expect(stage.plate.counts() == [.judged: 3])
            #expect(
                stage.plate.names(in: "").filter { !$0.hasPrefix(".") && !$0.hasPrefix("ledger") } == [
                    "advice.jsonl", "canary.log", "decisions.jsonl",
                ]
            )
            let audit = try Program(["audit", stage.plate.out.path], in: folder)
            #expect(try await audit.end() == 0, "\(audit.said)")
        }
    }

    @Test func thereIsNoneWhereItIsOff() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            try stage.configure(every: "0")
            let program = try Program(stage.watchArguments, in: folder)
            try stage.addFrames(0)
            try await until("the frames are judged", by: program) { stage.plate.counts()[.judged] == 3 }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            #expect(!stage.plate.names(in: "").contains("canary.log"))
        }
    }
}
