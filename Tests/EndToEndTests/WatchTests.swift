import Foundation
import Ledger
import Plate
import TestSupport
import Testing

@Suite(.serialized) struct WatchTests {
    /// Five chunks with pauses, 250 ms in all.
    private static func writeSlowly(_ data: Data, to url: URL) async throws {
        try Data().write(to: url)
        let handle = try FileHandle(forWritingTo: url)
        let size = data.count / 5 + 1
        for start in stride(from: 0, to: data.count, by: size) {
            try handle.write(contentsOf: data[start..<min(start + size, data.count)])
            try await Task.sleep(for: .milliseconds(50))
        }
        try handle.close()
    }

    /// Sixty frames written piece by piece, and as many that are renamed into place.
    private static func writeFrames(of plate: TestPlate) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<60 {
                group.addTask {
                    let place = plate.watched.appending(path: "batch \(index / 6)")
                    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
                    let data = plate.data(faulty: index % 10 == 0)
                    // Few of each well, as they are alike to the last bit: more would be a camera that is stuck.
                    let (row, frame) = (UnicodeScalar(UInt8(65 + index % 20)), index / 20)
                    try await Self.writeSlowly(
                        data,
                        to: place.appending(path: "slow_\(row)1_f\(frame).tiff")
                    )
                    let hidden = place.appending(path: "upload-\(index).part")
                    try data.write(to: hidden)
                    try FileManager.default.moveItem(
                        at: hidden,
                        to: place.appending(path: "renamed_\(row)1_f\(frame).tiff")
                    )
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func slowAndRenamedFramesAreJudgedOnceEach() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let program = try Program(plate.watchArguments, in: folder)
            try await until("the first listing is done") { program.said.contains("first listing") }
            try await Self.writeFrames(of: plate)
            try await until("120 frames are judged") { plate.counts()[.judged, default: 0] >= 120 }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            let records = try plate.records()
            #expect(records.count == 120)
            #expect(Set(records.compactMap(\.frame)).count == 120)
            #expect(plate.counts() == [.judged: 120])
            // On a busy machine the writer may pause for so long that a file is given up, and seen again when it goes on.
            #expect(program.said.contains(" 120 scored"))
            #expect(program.said.contains(", 12 flagged"))
            for run in ["slow", "renamed"] {
                let faults = try ["A01", "K01"].flatMap { try plate.alarms(run: run, well: $0) }
                    .filter { $0.contains("event=FAULT") }
                #expect(faults.count == 6)
                #expect(plate.names(in: "\(run)/masks").filter { $0.hasSuffix(".tiff") }.count == 6)
            }
        }
    }

    @Test func killedAtAnyMomentEveryFrameEndsWithOneVerdictAndOneMask() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            var random = TestGenerator(seed: UInt64(Date.now.timeIntervalSince1970))
            var frame = 0
            for _ in 0..<6 {
                let program = try Program(plate.watchArguments, in: folder)
                for _ in 0..<8 {
                    try plate.add("01_B\(frame % 2 + 1)_f\(frame / 2).tiff", faulty: frame % 3 == 0)
                    frame += 1
                }
                let judged = plate.counts()[.judged, default: 0] + Int.random(in: 0...3, using: &random)
                try await until("\(judged) of \(frame) frames are judged, not \(plate.counts())", by: program)
                {
                    plate.counts()[.judged, default: 0] >= judged
                }
                program.signal(SIGKILL)
                _ = try await program.end()
            }
            let last = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await last.end() == 0)
            let records = try plate.records()
            #expect(records.count == 48)
            #expect(Set(records.compactMap(\.frame)).count == 48)
            let faults = try ["B01", "B02"].flatMap { try plate.alarms(run: "01", well: $0) }
                .filter { $0.contains("event=FAULT") }
            #expect(faults.count == 16)
            #expect(Set(faults.map { $0.split(separator: " ")[3...4].joined() }).count == 16)
            let masks = plate.names(in: "01/masks")
            #expect(masks.filter { $0.hasSuffix(".mask.tiff") }.count == 16)
            #expect(masks.allSatisfy { $0.hasSuffix(".mask.tiff") || $0.hasSuffix(".mask.geojson") })
        }
    }

    @Test func damagedFramesAreNamedAndTheRestIsJudged() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try Data("II*\0 this was never an image".utf8).write(
                to: plate.watched.appending(path: "01_A1_f0.tiff")
            )
            try plate.add("01_A1_f1.tiff")
            let colours = plate.watched.appending(path: "notes.txt")
            try Data("no frame".utf8).write(to: colours)
            let program = try Program(plate.watchArguments, in: folder)
            try await until("the good frame is judged", by: program) { plate.counts()[.judged] == 1 }
            try await until("the damaged one is set apart", by: program) { plate.counts()[.quarantined] == 1 }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            let log = try String(contentsOf: plate.out.appending(path: "01/quarantine.log"), encoding: .utf8)
            #expect(log.contains("01_A1_f0.tiff"))
            #expect(try plate.alarms(run: "01", well: "A01").contains { $0.contains("event=UNREADABLE") })
        }
    }

    @Test func aWrongConfigurationAtReloadChangesNothing() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let file = folder.appending(path: "plate.yaml")
            let good = "model: \(Program.model)\noutput: \(plate.out.path)\nwatch: [\(plate.watched.path)]\n"
            try Data((good + "hysteresis: {onset: 1, of: 1}\n").utf8).write(to: file)
            let program = try Program(["watch", "--config", file.path], in: folder)
            try await until("the first listing is done") { program.said.contains("first listing") }
            try Data((good + "hystersis: {onset: 1}\n").utf8).write(to: file)
            program.signal(SIGHUP)
            try await until("the mistake is named") {
                program.said.contains("hystersis") && program.said.contains("hysteresis")
            }
            try plate.add("01_C3_f0.tiff", faulty: true)
            try await until("the frame is judged") { plate.counts()[.judged] == 1 }
            let lines = try plate.alarms(run: "01", well: "C03")
            #expect(lines.contains { $0.contains("event=ONSET") }, "one faulty frame is still enough")
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            let check = try Program(["validate", "--config", file.path], in: folder)
            #expect(try await check.end() != 0)
            #expect(check.said.contains("hystersis"))
        }
    }

    @Test func aModelThatIsCutWhileItIsUsedChangesNothing() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let model = folder.appending(path: "model.safetensors")
            try FileManager.default.copyItem(at: URL(filePath: Program.model), to: model)
            let file = folder.appending(path: "plate.yaml")
            let text = "model: \(model.path)\noutput: \(plate.out.path)\nwatch: [\(plate.watched.path)]\n"
            try Data(text.utf8).write(to: file)
            let program = try Program(["watch", "--config", file.path], in: folder)
            try await until("the first listing is done", by: program) {
                program.said.contains("first listing")
            }
            let handle = try FileHandle(forWritingTo: model)
            try handle.truncate(atOffset: 1000)
            try handle.close()
            try plate.add("01_C3_f0.tiff")
            try await until("the frame is judged", by: program) { plate.counts()[.judged] == 1 }
            program.signal(SIGHUP)
            try await until("the reload is refused", by: program) {
                program.said.contains("model.safetensors")
            }
            try plate.add("01_C3_f1.tiff")
            try await until("the next one is judged", by: program) { plate.counts()[.judged] == 2 }
            #expect(Set(try plate.records().map(\.model)).count == 1)
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
        }
    }
}
