import Foundation
import FoundationXML
import Frames
import Plate
import TestSupport
import Testing
import Verdict

@testable import Benchmarking

@Suite struct BenchmarkFigureTests {
    /// Two validation and four test frames of 10 x 10 whose figures can be found by hand.
    private static func byHand(in folder: URL) throws -> TinyBenchmark {
        let tiny = try TinyBenchmark(folder: folder)
        func block(_ value: Float, at column: Int) -> Frame {
            var frame = Frame(height: 10, width: 10, pixels: [Float](repeating: 0, count: 100))
            for row in 3..<6 { for x in column..<column + 3 { frame[row, x] = value } }
            return frame
        }
        for (name, frame) in [
            ("test/a", block(0, at: 3)), ("test/b", block(80, at: 3)), ("test/c", block(30, at: 3)),
            ("test/d", block(0, at: 2)), ("test/e", block(80, at: 4)), ("test/f", block(25, at: 3)),
            ("test/m", block(1, at: 3)),
        ] { try tiny.write(name, frame) }
        try tiny.list("normal_train", ["test/a.tiff,,0,"])
        try tiny.list("normal_val", ["test/a.tiff,,0,"])
        try tiny.list("test_val_fold0", ["test/a.tiff,,0,", "test/b.tiff,test/m.tiff,1,near"])
        try tiny.list(
            "test_test_fold0",
            [
                "test/c.tiff,,0,", "test/d.tiff,,0,", "test/e.tiff,test/m.tiff,1,near",
                "test/f.tiff,test/m.tiff,1,faint",
            ]
        )
        return tiny
    }

    @Test func figuresAreThoseFoundByHand() async throws {
        try await withTemporaryFolder { folder in
            let (results, problems) = try Self.byHand(in: folder).run([GreyDistance(grey: 0)])
            #expect(problems.isEmpty)
            let method = try #require(results.methods.first)
            let expected: [(Double?, Double)] = [
                // Scores of 0.8 and 0.25 against 0.3 and 0; the threshold is 0.2.
                (method.mean(.image, .accuracy, score: .maximum), 0.75),
                (method.mean(.image, .auc, score: .maximum), 0.75),
                (method.mean(.image, .auprc, score: .maximum), 0.5 + 0.5 * 2 / 3),
                (method.mean(.image, .auc, score: .maximum, fault: "near"), 1),
                (method.mean(.image, .auc, score: .maximum, fault: "faint"), 0.5),
                (method.mean(.image, .detectionRate, score: .maximum, fault: "faint"), 1),
                // One mask is off by a column, one is right, and one is of a normal frame.
                (method.mean(.pixel, .dice), 30.0 / 45), (method.mean(.pixel, .bestDice), 30.0 / 45),
                (method.mean(.pixel, .dice, fault: "near"), 12.0 / 18),
                (method.mean(.pixel, .dice, fault: "faint"), 1),
                (method.mean(.pixel, .hausdorff), 0.5), (method.mean(.pixel, .hausdorff, fault: "near"), 1),
                (method.mean(.pixel, .hausdorffDefined), 1),
                (method.mean(.pixel, .auprc, fault: "faint"), 1),
                // Each frame alone: 6 of 9 pixels found at the highest score, the rest with all others; and all found.
                (method.mean(.frame, .auprc), (4.0 / 9 + 0.03 + 1) / 2),
                (method.mean(.frame, .auc), ((6 * 89.5 + 3 * 44) / (9.0 * 91) + 1) / 2),
                (method.mean(.frame, .dice), (12.0 / 18 + 1) / 2),
                (method.mean(.frame, .bestDice), (12.0 / 18 + 1) / 2),
                (method.mean(.frame, .hausdorff), 0.5), (method.mean(.frame, .hausdorffDefined), 1),
                (method.mean(.frame, .dice, fault: "near"), 12.0 / 18),
            ]
            for (index, (found, value)) in expected.enumerated() {
                #expect(try abs(#require(found) - value) < 1e-6, "figure \(index)")
            }
            #expect(method.figures.allSatisfy { $0.spread == nil })
        }
    }

    @Test func specksAreNoFaultAndLeaveNoDistance() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try Self.byHand(in: folder)
            var speck = Frame(height: 10, width: 10, pixels: [Float](repeating: 0, count: 100))
            (speck[4, 4], speck[4, 5]) = (80, 80)
            try tiny.write("test/f", speck)
            let method = try #require(try tiny.run([GreyDistance(grey: 0)]).results.methods.first)
            #expect(method.mean(.pixel, .dice, fault: "faint") == 0)
            #expect(method.mean(.pixel, .hausdorff, fault: "faint") == nil)
            #expect(method.mean(.pixel, .hausdorffDefined, fault: "faint") == 0)
            #expect(method.mean(.pixel, .hausdorffDefined) == 0.5)
            let filtered = try #require(method.mean(.pixel, .dice))
            #expect(try #require(method.mean(.pixel, .diceUnfiltered)) != filtered)
        }
    }

    @Test func methodsAreComparedOverFoldsAndWritten() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            let (results, problems) = try tiny.run([GreyDistance(), ClassicalBaseline()])
            #expect(problems.isEmpty && results.leftOut.isEmpty)
            let (grey, classical) = (results.methods[0], results.methods[1])
            #expect(grey.folds.map(\.number) == [0, 1])
            #expect(grey.mean(.image, .auc, score: .maximum) == 1)
            #expect(try #require(grey.mean(.pixel, .dice)) > 0.9)
            #expect(grey.passesPerFrame == 1)
            #expect(try #require(grey.framesPerSecond) > 0)
            #expect(grey.figures.allSatisfy { $0.spread != nil || $0.mean == nil })
            #expect(classical.mean(.image, .auc, score: .patch) == 1)
            #expect(
                classical.mean(.image, .accuracy, score: .patch)
                    == classical.mean(.image, .accuracy, score: .mean)
            )
            #expect(!classical.figures.contains { $0.key.level == .pixel })
            #expect(classical.summary.contains("24 normal frames"))

            let data = try Data(contentsOf: tiny.out.appending(path: "results.json"))
            #expect(try JSONDecoder().decode(BenchmarkResults.self, from: data) == results)
            let csv = try String(contentsOf: tiny.out.appending(path: "results.csv"), encoding: .utf8)
            #expect(csv.contains("grey,mean,image,max,,auc,1.0\n"))
            #expect(csv.contains("grey,1,pixel,,dust,dice,"))
            let table = try String(contentsOf: tiny.out.appending(path: "results.md"), encoding: .utf8)
            let row = try #require(table.split(separator: "\n").first { $0.hasPrefix("| classical") })
            #expect(row.contains("1.000 ± 0.000"))
            #expect(table.contains("| classical | - |"))
            #expect(table.contains("| method | bubble | dust |"))
            // What stands beside the paper's figures comes first.
            let sections = table.split(separator: "\n").filter { $0.hasPrefix("## Pixels") }
            #expect(sections.first?.contains("the published figures") == true && sections.count == 2)
        }
    }

    @Test func picturesAreWellFormed() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            _ = try tiny.run([GreyDistance(), ClassicalBaseline()])
            let plots = ["roc", "precision-recall", "grey-roc", "grey-precision-recall", "classical-roc"]
            let names = plots.map { "plots/\($0).svg" } + ["panels/bubble.svg", "panels/dust.svg"]
            for name in names {
                let data = try Data(contentsOf: tiny.out.appending(path: name))
                #expect(XMLParser(data: data).parse(), "\(name)")
                let text = String(decoding: data, as: UTF8.self)
                #expect(
                    text.contains("AUC") || text.contains("AUPRC") || text.contains("data:image/png;base64,")
                )
            }
            let panel = try String(contentsOf: tiny.out.appending(path: "panels/dust.svg"), encoding: .utf8)
            for title in ["input", "reconstruction", "score map", "mask", "truth", "grey", "classical"] {
                #expect(panel.contains(title))
            }
            let image = try #require(
                panel.split(separator: "base64,").dropFirst().first?.prefix { $0 != "\"" }
            )
            let png = try #require(Data(base64Encoded: String(image)))
            #expect([UInt8](png.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        }
    }
}

@Suite struct BenchmarkResumeTests {
    @Test func whatIsFinishedIsNotComputedAgain() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            let first = GreyDistance()
            #expect(throws: CancellationError.self) {
                try tiny.benchmark().run([first]) { event in
                    if case .progress(_, "fold 0", 5, _) = event { throw CancellationError() }
                }
            }
            #expect(first.counts.frames == 5)
            let second = GreyDistance()
            let (results, _) = try tiny.run([second])
            // Both folds have the same sixteen frames; five of them are known.
            #expect(second.counts.frames == 11)
            let third = GreyDistance()
            #expect(try tiny.run([third]).results == results)
            #expect(third.counts == (0, 0))

            try FileManager.default.removeItem(at: tiny.out.appending(path: "cache"))
            let fourth = GreyDistance()
            #expect(try tiny.run([fourth]).results == results)
            #expect(fourth.counts == (0, 0), "folds outlive the cache")
        }
    }

    @Test func whatChangedIsComputedAgain() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            _ = try tiny.run([GreyDistance()])
            let other = GreyDistance(grey: 101)
            _ = try tiny.run([other])
            #expect(other.counts.frames == 16, "another fingerprint is another method")

            try tiny.write("test/n3", TinyBenchmark.noise(seed: 999))
            let changed = GreyDistance(grey: 101)
            _ = try tiny.run([changed])
            #expect(changed.counts == (1, 1), "only the frame that changed")

            let damaged = tiny.out.appending(path: "folds/grey/fold0.json")
            try Data("{".utf8).write(to: damaged)
            let repaired = GreyDistance(grey: 101)
            let results = try tiny.run([repaired]).results
            #expect(repaired.counts.frames == 0 && results.methods[0].folds.count == 2)
        }
    }

    @Test func aKilledFoldGoesOnWithTheRest() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            var finished: [Int] = []
            #expect(throws: CancellationError.self) {
                try tiny.benchmark().run([GreyDistance()]) { event in
                    guard case .fold(let number, _, _) = event else { return }
                    finished.append(number)
                    throw CancellationError()
                }
            }
            var events: [Benchmark.Event] = []
            _ = try tiny.benchmark().run([GreyDistance()]) { events.append($0) }
            #expect(finished == [0])
            #expect(events.contains(.fold(0, method: "grey", wasKept: true)))
            #expect(events.contains(.fold(1, method: "grey", wasKept: false)))
        }
    }
}
