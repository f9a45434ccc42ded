import Foundation
import Frames
import Plate
import TestSupport
import Testing

@Suite struct BenchmarkCommandTests {
    /// One fold of noise with and without a bright square.
    private func writeSet(to folder: URL) throws {
        let splits = folder.appending(path: "splits")
        try FileManager.default.createDirectory(at: splits, withIntermediateDirectories: true)
        for index in 0..<8 {
            var random = TestGenerator(seed: UInt64(index + 1))
            var frame = Frame(height: 32, width: 40, pixels: random.floats(1280, in: 90...110))
            var mask = Frame(height: 32, width: 40, pixels: [Float](repeating: 0, count: 1280))
            for row in 8..<20 { for column in 8..<20 { mask[row, column] = 255 } }
            if index >= 6 { for pixel in 0..<1280 where mask.pixels[pixel] > 0 { frame.pixels[pixel] = 220 } }
            try TIFFWriter.write(frame, to: folder.appending(path: "\(index).tiff").path)
            try TIFFWriter.write(mask, to: folder.appending(path: "mask.tiff").path)
        }
        let lists = [
            "normal_train": "0.tiff,,0\n1.tiff,,0\n2.tiff,,0\n3.tiff,,0\n", "normal_val": "3.tiff,,0\n",
            "test_val_fold0": "4.tiff,,0\n6.tiff,mask.tiff,1\n",
            "test_test_fold0": "5.tiff,,0\n7.tiff,mask.tiff,1\n",
        ]
        for (name, rows) in lists {
            let text = "img_path,seg_path,label\n" + rows
            try Data(text.utf8).write(to: splits.appending(path: "\(name).csv"))
        }
    }

    @Test func aBenchmarkRunsAndSaysWhatIsLeftOut() async throws {
        try await withTemporaryFolder { folder in
            try writeSet(to: folder)
            let out = folder.appending(path: "out")
            let arguments = ["benchmark", "--data", folder.path, "--out", out.path]
            let first = try Program(arguments, in: folder)
            #expect(try await first.end() == 0, "\(first.said)")
            let table = try String(contentsOf: out.appending(path: "results.md"), encoding: .utf8)
            #expect(table.contains("| classical | 1.000 |"))

            let list = folder.appending(path: "splits/test_test_fold0.csv")
            let rows = try String(contentsOf: list, encoding: .utf8) + "absent.tiff,,0\n"
            try Data(rows.utf8).write(to: list)
            let second = try Program(arguments, in: folder)
            #expect(try await second.end() == 1)
            #expect(second.said.contains("test_test_fold0.csv, row 4"))
            #expect(second.said.contains("fold 0 already done"), "the frames are the same")

            let unknown = try Program(arguments + ["--methods", "oracle"], in: folder)
            #expect(try await unknown.end() != 0)
            #expect(unknown.said.contains("no method oracle; there are classical"))
        }
    }

    /// A simulated set, a published method trained on it, and the baseline beside it.
    @Test func missingModelsAreTrainedOnASimulatedSet() async throws {
        try await withTemporaryFolder { folder in
            let set = folder.appending(path: "set").path
            let simulation = try Program(
                [
                    "simulate", "set", "--out", set, "--width", "64", "--height", "64", "--train", "10",
                    "--normal", "4", "--faulty", "10", "--folds", "2",
                ],
                in: folder
            )
            #expect(try await simulation.end() == 0, "\(simulation.said)")
            let out = folder.appending(path: "out")
            let arguments = [
                "benchmark", "--data", set, "--out", out.path, "--methods", "pddpm", "classical", "--train",
                "--steps", "2", "--batch", "2", "--channels", "32", "--blocks", "1", "--window", "32",
                "--overlap", "0",
            ]
            let benchmark = try Program(arguments, in: folder)
            #expect(try await benchmark.end() == 0, "\(benchmark.said)")
            let table = try String(contentsOf: out.appending(path: "results.md"), encoding: .utf8)
            #expect(table.contains("| pddpm | pddpm, reference, windows of 32"))
            for fault in ["air-bubble", "artifact", "contamination", "illumination", "z-shift"] {
                let panel = out.appending(path: "panels/\(fault).svg").path
                #expect(FileManager.default.fileExists(atPath: panel), "\(fault)")
            }
        }
    }
}
