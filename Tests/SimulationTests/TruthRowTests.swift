import Faults
import Foundation
import Plate
import TestSupport
import Testing

@testable import Simulation

struct TruthRowTests {
    private static let lines = [
        "file,run,well,frame,fault,strength,closed", "01_B1_f0.tiff,01,B01,0,,,2026-11-25T10:00:00.125Z",
        "01_B1_f1.tiff,01,B01,1,air-bubble;z-shift,0.500;1.000,2026-11-25T10:00:08.125Z",
    ]

    private func rows(_ text: String) async throws -> [TruthRow] {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "truth.csv")
            try Data(text.utf8).write(to: path)
            return try TruthRow.load(path: path.path)
        }
    }

    @Test func linesAreReadAsTheyAreWritten() async throws {
        let rows = try await rows(Self.lines.joined(separator: "\n") + "\n")
        #expect(rows.map(\.line) == Array(Self.lines.dropFirst()))
        #expect(rows[0].faults.isEmpty)
        #expect(rows[1].faults.map(\.kind) == [.airBubble, .zShift])
        #expect(rows[1].faults.map(\.strength) == [0.5, 1])
        #expect(rows[1].closed.nanoseconds - rows[0].closed.nanoseconds == 8_000_000_000)
        #expect(rows[1].frame.description == "01_B01_f1")
    }

    @Test func whatAKilledRunLeftOfALineIsNoLine() async throws {
        let torn = Self.lines.joined(separator: "\n").dropLast(5)
        #expect(try await rows(String(torn)).count == 1)
    }

    @Test func aChangedFileIsRefusedWithTheLine() async throws {
        for (line, changed) in [
            (1, "file,run"), (3, "01_B1_f1.tiff,01,B01,1,bubble,0.5,2026-11-25T10:00:08.125Z"),
            (3, "01_B1_f1.tiff,01,B01,1,z-shift,,2026-11-25T10:00:08.125Z"),
            (2, "01_B1_f0.tiff,01,B01,x,,,soon"),
        ] {
            var lines = Self.lines
            lines[line - 1] = changed
            let error = await #expect(throws: SimulationError.self) {
                try await rows(lines.joined(separator: "\n") + "\n")
            }
            #expect(error?.description.contains("truth.csv:\(line):") ?? false)
        }
        await #expect(throws: SimulationError.self) { try await rows("") }
    }
}
