import Foundation
import Frames
import Ledger
import Plate
import TestSupport
import Testing

/// The net below all checks: no file ends the daemon again and again.
@Suite(.serialized) struct CrashLoopTests {
    /// A frame that takes long to judge.
    private static func addLarge(_ name: String, to plate: TestPlate) throws {
        let side = 2400
        let pixels = (0..<side * side).map { Float(90 + $0 % 23) }
        try TIFFWriter.write(
            Frame(height: side, width: side, pixels: pixels),
            to: plate.watched.appending(path: name).path
        )
    }

    /// What a judging thread notes at the moment.
    private static func noted(_ plate: TestPlate) -> String {
        (try? String(contentsOf: plate.out.appending(path: ".judging-1"), encoding: .utf8)) ?? ""
    }

    /// Starts the daemon, and ends it by a signal while it judges the file.
    private static func crash(_ plate: TestPlate, _ name: String, by signal: Int32) async throws -> Program {
        let program = try Program(plate.watchArguments, in: plate.folder)
        // On a thread of its own: the tests that run beside would let the moment pass.
        let hunter = Thread {
            while program.isRunning {
                // Notes of the run before are gone by then.
                if program.said.contains("The first listing is done"), noted(plate).contains(name) {
                    return program.signal(signal)
                }
                usleep(1000)
            }
        }
        hunter.start()
        defer { if program.isRunning { program.signal(SIGKILL) } }
        #expect(try await program.end() == 128 + signal)
        return program
    }

    @Test(arguments: [SIGILL, SIGABRT])
    func aFileOfTwoCrashesIsQuarantinedAndTheRestIsJudged(signal: Int32) async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let name = "01_A1_f0.tiff"
            try Self.addLarge(name, to: plate)
            _ = try await Self.crash(plate, name, by: signal)
            let second = try await Self.crash(plate, name, by: signal)
            #expect(second.said.contains("The program crashed while it judged a file"))
            try plate.add("01_A1_f1.tiff")
            let third = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await third.end() == 0, "\(third.said)")
            #expect(third.said.contains("A file is not judged any more"))
            let records = try plate.records()
            let reasons = records.filter { $0.source.path == name }.map { $0.reason ?? "" }
            #expect(
                reasons.count == 1 && reasons[0].contains("the program ended twice while it judged this file")
            )
            #expect(plate.counts() == [.judged: 1, .quarantined: 1])
            // Written again, it is a new content.
            try plate.add(name)
            let fourth = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await fourth.end() == 0, "\(fourth.said)")
            #expect(plate.counts() == [.judged: 2])
            #expect(
                plate.names(in: "").filter { $0.hasPrefix(".judging") || $0 == ".crashed" } == [".judging-1"]
            )
        }
    }

    @Test func killsQuarantineNothing() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try Self.addLarge("01_A1_f0.tiff", to: plate)
            for _ in 0..<3 {
                let program = try await Self.crash(plate, "01_A1_f0.tiff", by: SIGKILL)
                #expect(!program.said.contains("crashed"))
            }
            let last = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await last.end() == 0, "\(last.said)")
            #expect(plate.counts() == [.judged: 1])
        }
    }
}
