import Detection
import Diffusion
import Evaluation
import Foundation
import Frames
import Plate
import Tensors
import TestSupport
import Testing
import Verdict

/// Checkpoints that the published system's own trainer wrote, from the file to maps.
@Suite(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
struct LightningTests {
    /// The published maps were made at this overlap.
    private static let overlap = "0.25"

    private func folder() throws -> URL { try #require(TestData.fixtures).appending(path: "lightning") }

    private func names(_ ending: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder().path).filter { $0.hasSuffix(ending) }
            .sorted()
    }

    /// Runs the program to its end and returns it; fails where it says no.
    private func ran(_ arguments: [String], in folder: URL) async throws -> Program {
        let program = try Program(arguments, in: folder)
        guard try await program.end() == 0 else { throw Program.Failure(description: program.said) }
        return program
    }

    @Test(arguments: [("l1", "l1", 1e-5), ("l1+dssim", "l1_dssim", 1e-4)] as [(String, String, Double)])
    func mapsAreThePublishedOnesWithoutThresholds(residual: String, name: String, tolerance: Double)
        async throws
    {
        let published = try Fixture("expected", folder: folder())
        let frames = try names(".tiff").map { try folder().appending(path: $0).path }
        for file in try names(".ckpt") {
            try await withTemporaryFolder { folder in
                let model = folder.appending(path: "model.safetensors").path
                let maps = folder.appending(path: "maps")
                let checkpoint = try self.folder().appending(path: file).path
                let imported = try await ran(
                    [
                        "import", checkpoint, "--out", model, "--overlap", Self.overlap, "--residual",
                        residual,
                    ],
                    in: folder
                )
                // Only what the trainer does not write is assumed.
                #expect(imported.said.contains("assumed to be as published: --head-channels 64\n"))
                let scored = try await ran(
                    ["score", "--model", model, "--maps", maps.path] + frames,
                    in: folder
                )
                let rows = scored.table
                #expect(rows.count == frames.count)
                for (frame, row) in zip(frames, rows) {
                    let stem = URL(filePath: frame).deletingPathExtension().lastPathComponent
                    let key = "\(file.dropLast(".ckpt".count)).\(stem).\(name)"
                    let expected = try published.floats(key).values
                    let map = try TIFFReader(path: maps.appending(path: "\(stem).map.tiff").path).frame(
                        page: 0
                    )
                    let furthest = zip(map.pixels, expected).map { Double(abs($0 - $1)) }.max()
                    #expect(try #require(furthest) < tolerance, "\(key)")
                    let maximum = Double(expected.max() ?? 0)
                    #expect(try abs(#require(row["score_max"].flatMap(Double.init)) - maximum) < tolerance)
                    for column in ["score", "severity", "threshold", "verdict", "cause"] {
                        #expect(row[column] == "", "a verdict without thresholds")
                    }
                }
            }
        }
    }

    /// The folder, and its three files in any order, are the same model.
    @Test func fAnoGANIsReadFromItsThreeFiles() async throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: folder().path).sorted().filter {
            FileManager.default.fileExists(atPath: try folder().appending(path: "\($0)/generator.pth").path)
        }
        #expect(!folders.isEmpty)
        for name in folders {
            let source = try folder().appending(path: name)
            let files = ["encoder", "generator", "discriminator"].map {
                source.appending(path: "\($0).pth").path
            }
            try await withTemporaryFolder { folder in
                let models = ["a", "b"].map { folder.appending(path: "\($0).safetensors").path }
                _ = try await ran(["import", source.path, "--out", models[0]], in: folder)
                _ = try await ran(["import"] + files + ["--out", models[1]], in: folder)
                let (first, second) = (
                    try Model.read(path: models[0]).model, try Model.read(path: models[1]).model
                )
                #expect(first.description.method == .fanogan)
                #expect(first.weights.mapValues(\.values) == second.weights.mapValues(\.values))
                let frame = try self.folder().appending(path: try names(".tiff")[0]).path
                let scored = try await ran(
                    ["score", "--model", models[0], "--overlap", Self.overlap, frame],
                    in: folder
                )
                let score = scored.table.first?["score_max"].flatMap(Double.init)
                #expect(try #require(score) > 0)

                let alone = try Program(["import", files[1], "--out", models[0]], in: folder)
                #expect(try await alone.end() != 0)
                #expect(alone.said.contains("name all three, or their folder"))
                let twice = try Program(
                    ["import", files[1], files[1], files[0], "--out", models[0]],
                    in: folder
                )
                #expect(try await twice.end() != 0)
                #expect(twice.said.contains("holds the generator of an f-AnoGAN, and so does"))
            }
        }
    }

    /// Options for published numbers: the first frame's range counts for all, and seeds give means with their spread.
    @Test func scoresCanBeMadeAsThePublishedSystemMakesThem() async throws {
        let whole = try names(".tiff").map { try folder().appending(path: $0) }
        let checkpoint = try folder().appending(path: try names(".ckpt")[0]).path
        try await withTemporaryFolder { folder in
            // Parts of the frames, which take few windows.
            let frames = try whole.map { file in
                let part = folder.appending(path: file.lastPathComponent).path
                let frame = try TIFFReader(path: file.path).frame(page: 0)
                try TIFFWriter.write(frame.centreCrop(min(frame.height, 100)), to: part)
                return part
            }
            let model = folder.appending(path: "model.safetensors").path
            _ = try await ran(["import", checkpoint, "--out", model, "--overlap", "0"], in: folder)
            func rows(_ frames: [String], _ options: [String]) async throws -> [[String: String]] {
                try await ran(["score", "--model", model] + options + frames, in: folder).table
            }
            let own = try await rows(frames, [])
            let first = try await rows(frames, ["--published-scaling"])
            let second = try await rows(frames.reversed(), ["--published-scaling"])
            #expect(first[0] == own[0] && first[1] != own[1])
            #expect(second[0] == own[1] && second[1] != own[0])
            let half = try await rows(frames, ["--half-precision-noise"])
            let means = try [half, own].map { try #require($0[0]["score_mean"].flatMap(Double.init)) }
            #expect(abs(means[0] - means[1]) < 1e-3)
            #expect(try await rows(frames, ["--noise-per-window"])[0] != own[0])
            let seeds = try await rows([frames[0]], ["--noise-seeds", "2"])
            #expect(seeds[0].count == own[0].count + 3)
            let spreads = seeds[0].filter { $0.key.hasSuffix("_spread") }
            #expect(spreads.count == 3 && spreads.values.allSatisfy { (Double($0) ?? 0) > 0 })

            let masks = try Program(
                ["score", "--model", model, "--masks", folder.path, frames[0]],
                in: folder
            )
            #expect(try await masks.end() != 0)
            #expect(masks.said.contains("no thresholds, which --masks takes"))
        }
    }

    /// The published benchmark takes its methods only, each frame in the range of its list's first one, and |difference|.
    @Test func thePublishedBenchmarkDoesAsThePublishedEvaluation() async throws {
        let checkpoint = try folder().appending(path: try names(".ckpt")[0]).path
        let whole = try names(".tiff").map { try folder().appending(path: $0).path }
        try await withTemporaryFolder { folder in
            let models = folder.appending(path: "models")
            try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
            let model = models.appending(path: "pddpm.safetensors").path
            _ = try await ran(["import", checkpoint, "--out", model, "--overlap", "0"], in: folder)
            try FileManager.default.copyItem(
                atPath: Program.model,
                toPath: models.appending(path: "realtime.safetensors").path
            )
            let splits = folder.appending(path: "splits")
            try FileManager.default.createDirectory(at: splits, withIntermediateDirectories: true)
            var frames: [String] = []
            for (number, path) in whole.enumerated() {
                let frame = try TIFFReader(path: path).frame(page: 0)
                for part in 0..<2 {
                    let crop = frame.window(row: 0, column: 100 * part, height: 96, width: 96)
                    frames.append("\(number)\(part).tiff")
                    try TIFFWriter.write(crop, to: folder.appending(path: frames[frames.count - 1]).path)
                }
            }
            var mask = Frame(height: 96, width: 96, pixels: [Float](repeating: 0, count: 96 * 96))
            for pixel in 2000..<4000 { mask.pixels[pixel] = 255 }
            try TIFFWriter.write(mask, to: folder.appending(path: "mask.tiff").path)
            for (list, rows) in [
                ("test_val_fold0", "\(frames[0]),,0\n\(frames[2]),mask.tiff,1\n"),
                ("test_test_fold0", "\(frames[1]),,0\n\(frames[3]),mask.tiff,1\n"), ("normal_train", ""),
                ("normal_val", ""),
            ] {
                let text = "img_path,seg_path,label\n" + rows
                try Data(text.utf8).write(to: splits.appending(path: "\(list).csv"))
            }
            let out = folder.appending(path: "out")
            let benchmark = try Program(
                ["benchmark", "--published", folder.path, "--models", models.path, "--out", out.path],
                in: folder
            )
            // A model of another profile is left out, and said.
            #expect(try await benchmark.end() == 1)
            #expect(
                benchmark.said.contains(
                    "is of the realtime profile, which the published benchmark does not have"
                )
            )
            let results = try String(contentsOf: out.appending(path: "results.json"), encoding: .utf8)
            let names =
                try #require(
                    try JSONSerialization.jsonObject(with: Data(results.utf8)) as? [String: Any]
                )["methods"] as? [[String: Any]]
            #expect(names?.compactMap { $0["name"] as? String } == ["pddpm"])
            let folds = try #require(names?.first?["folds"] as? [[String: Any]])
            let test = try #require(folds.first?["test"] as? [[String: Any]])
            let found = test.compactMap { ($0["maximum"] as? NSNumber)?.doubleValue }

            _ = try await ran(
                ["import", checkpoint, "--out", model, "--overlap", "0", "--residual", "l1"],
                in: folder
            )
            let options = ["--published-scaling", "--half-precision-noise", "--noise-per-window"]
            let scored = try await ran(
                ["score", "--model", model] + options
                    + [frames[1], frames[3]].map { folder.appending(path: $0).path },
                in: folder
            )
            let scores = scored.table.compactMap { $0["score_max"].flatMap(Double.init) }
            #expect(found.count == 2 && scores.count == 2)
            #expect(zip(found, scores).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    /// `calibrate --published` divides labelled frames as the published search over their scores does.
    @Test func thePublishedSearchDecidesByTheImageScore() async throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: folder().path).sorted().filter {
            FileManager.default.fileExists(atPath: try folder().appending(path: "\($0)/generator.pth").path)
        }
        let source = try folder().appending(path: try #require(folders.first)).path
        try await withTemporaryFolder { folder in
            let model = folder.appending(path: "model.safetensors").path
            _ = try await ran(["import", source, "--out", model, "--overlap", "0"], in: folder)
            var random = TestGenerator(seed: 5)
            let frames = try (0..<8).map { number in
                // Grey noise around one value, and in every second frame a dark square that makes its score another one.
                var frame = Frame(height: 96, width: 96, pixels: random.floats(96 * 96, in: 90...110))
                if number % 2 == 1 {
                    for row in 20..<60 { for column in 20..<60 + 4 * number { frame[row, column] = 20 } }
                }
                let path = folder.appending(path: "\(number).tiff").path
                try TIFFWriter.write(frame, to: path, type: .float32)
                return path
            }
            func rows() async throws -> [[String: String]] {
                try await ran(["score", "--model", model] + frames, in: folder).table
            }
            let scores = try await rows().compactMap { $0["score_patch"].flatMap(Double.init) }
            // Whichever frames score high are called faulty here.
            let middle = scores.sorted()[4]
            let faulty = scores.map { $0 >= middle }
            let list = folder.appending(path: "list.csv")
            let lines = zip(frames, faulty).map { "\($0),\($1 ? 1 : 0)" }
            try Data((["img_path,label"] + lines).joined(separator: "\n").utf8).write(to: list)
            let normal = zip(frames, faulty).filter { !$1 }.map(\.0)
            _ = try await ran(
                ["calibrate", model, "--normal"] + normal + ["--faulty", list.path, "--published"],
                in: folder
            )
            let threshold = GreedyThreshold.accuracy(scores: scores, faulty: faulty).threshold
            let verdicts = try await rows().map { $0["verdict"] }
            #expect(verdicts == scores.map { $0 > threshold ? "faulty" : "normal" })
            #expect(
                try Model.read(path: model).model.description.calibration?.limits.threshold.falseAlarmRate
                    == nil
            )
        }
    }

    @Test func aRealtimeModelKnowsNoPublishedScaling() async throws {
        try await withTemporaryFolder { folder in
            let frame = try self.folder().appending(path: try names(".tiff")[0]).path
            let program = try Program(
                ["score", "--model", Program.model, "--published-scaling", frame],
                in: folder
            )
            #expect(try await program.end() != 0)
            #expect(program.said.contains("--published-scaling: for models of the reference profile only"))
        }
    }
}
