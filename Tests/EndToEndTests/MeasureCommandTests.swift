import Foundation
import TestSupport
import Testing

/// Whether every group of `measure` runs and prints what others read; not how fast anything is.
@Suite struct MeasureCommandTests {
    private struct Figure: Decodable {
        let name: String
        let median: Double
        let p90: Double
        let unit: String
    }

    private static let units: Set<String> = [
        "ms", "s", "%", "GFLOP", "GFLOP/s", "GOP/s", "frames", "frames/s", "steps/s", "crops/s", "MiB",
        "days",
    ]

    @Test(arguments: [
        ("kernels", ["f32 bare 3x3 48x80x24 to 24", "tiff decode", "median", "mask"]),
        ("network", ["pddpm pass", "pddpm pass processor time", "realtime pass", "realtime of bare speed"]),
        ("pipeline", ["pipeline judge", "pipeline ledger write", "pipeline rate", "pipeline peak memory"]),
        ("training", ["training step crops", "training bare step"]),
        (
            "published",
            [
                "published step", "published step processor time", "published 300 epochs",
                "published peak memory",
            ]
        ),
    ])
    func aGroupPrintsItsFigures(group: String, expected: [String]) async throws {
        try await withTemporaryFolder { folder in
            let json = folder.appending(path: "figures.json")
            let arguments = ["measure", group, "--quick", "--model", Program.model, "--json", json.path]
            let program = try Program(arguments, in: folder)
            #expect(try await program.end() == 0, "\(program.said)")
            let lines = program.printed.split(separator: "\n")
            let figures = try JSONDecoder().decode([Figure].self, from: Data(contentsOf: json))
            #expect(lines.count == figures.count)
            for (line, figure) in zip(lines, figures) {
                let values = line.dropFirst(figure.name.count + 1).split(separator: " ")
                #expect(line.hasPrefix(figure.name + " ") && values.count == 3, "\(line)")
                #expect(values.prefix(2).allSatisfy { Double($0) != nil }, "\(line)")
                #expect(Self.units.contains(figure.unit) && values.last.map(String.init) == figure.unit)
                #expect(figure.median >= 0 && figure.p90 >= figure.median, "\(line)")
            }
            for name in expected { #expect(figures.contains { $0.name == name }, "\(name) is missing") }
        }
    }

    @Test func withoutAModelThePipelineIsLeftOutInWords() async throws {
        try await withTemporaryFolder { folder in
            let program = try Program(["measure", "pipeline", "--quick"], in: folder)
            #expect(try await program.end() == 0)
            #expect(program.said.contains("name one with --model"))
            #expect(program.printed.isEmpty)
        }
    }
}
