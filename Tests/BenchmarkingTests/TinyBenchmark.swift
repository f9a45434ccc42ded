import Foundation
import Frames
import Plate
import TestSupport
import Verdict

@testable import Benchmarking

/// A benchmark in the published layout, small enough for a test.
struct TinyBenchmark {
    let folder: URL
    var splits: URL { folder.appending(path: "splits") }
    var out: URL { folder.appending(path: "out") }

    init(folder: URL) throws {
        self.folder = folder
        for name in ["splits", "train", "test"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name),
                withIntermediateDirectories: true
            )
        }
    }

    /// Frames of noise, some with a bright disc of two classes; `folds` folds.
    static func discs(in folder: URL, folds: Int = 2) throws -> TinyBenchmark {
        let benchmark = try TinyBenchmark(folder: folder)
        let normal = try (0..<24).map { try benchmark.write("train/n\($0)", noise(seed: $0 + 1)) }
        try benchmark.list("normal_train", normal.map { "\($0),,0," })
        try benchmark.list("normal_val", ["\(normal[0]),,0,"])
        var rows: [String] = []
        for index in 0..<8 {
            let image = try benchmark.write("test/n\(index)", noise(seed: 100 + index))
            rows.append("\(image),,0,")
            var frame = noise(seed: 200 + index)
            var mask = Frame(height: 48, width: 64, pixels: [Float](repeating: 0, count: 48 * 64))
            for row in 10..<24 {
                for column in 20 + index..<36 + index where (row - 17) * (row - 17) < 40 {
                    frame[row, column] = index % 2 == 0 ? 220 : 160
                    mask[row, column] = 255
                }
            }
            let faulty = try benchmark.write("test/f\(index)", frame)
            let truth = try benchmark.write("test/m\(index)", mask)
            rows.append("\(faulty),\(truth),1,\(index % 2 == 0 ? "bubble" : "dust")")
        }
        for fold in 0..<folds {
            let turned = Array(rows[(4 * fold)...] + rows[..<(4 * fold)])
            try benchmark.list("test_val_fold\(fold)", Array(turned[..<6]))
            try benchmark.list("test_test_fold\(fold)", Array(turned[6...]))
        }
        return benchmark
    }

    static func noise(seed: Int) -> Frame {
        var random = TestGenerator(seed: UInt64(seed))
        return Frame(height: 48, width: 64, pixels: random.floats(48 * 64, in: 90...110))
    }

    /// Writes an image and gives its path as lists have it.
    @discardableResult
    func write(_ name: String, _ frame: Frame) throws -> String {
        try TIFFWriter.write(frame, to: folder.appending(path: "\(name).tiff").path)
        return "\(name).tiff"
    }

    func list(_ name: String, _ rows: [String], header: String = "img_path,seg_path,label,fault") throws {
        let text = ([header] + rows).joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: splits.appending(path: "\(name).csv"))
    }

    func benchmark() throws -> Benchmark {
        try Benchmark(data: folder.path, splits: splits.path, out: out.path)
    }

    func run(_ methods: [any BenchmarkMethod]) throws -> (results: BenchmarkResults, problems: [String]) {
        var problems: [String] = []
        let results = try benchmark().run(methods) { event in
            if case .problem(let sentence) = event { problems.append(sentence) }
        }
        return (results, problems)
    }
}

/// What adding a method takes: the distance of each pixel from a grey value, on the scale of 100 grey values.
final class GreyDistance: BenchmarkMethod {
    let name = "grey"
    let summary = "distance from a grey value"
    let grey: Float
    /// Frames assessed and preparations made.
    private(set) var counts = (frames: 0, preparations: 0)
    /// What to answer instead, for frames of this mean.
    var disturbed: (Assessment) -> Assessment = { $0 }

    init(grey: Float = 100) { self.grey = grey }

    func fingerprint(_ context: MethodContext) -> String { "grey \(grey)" }

    func prepare(_ context: MethodContext) { counts.preparations += 1 }

    func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) -> Assessment {
        counts.frames += 1
        let map = frame.pixels.map { abs($0 - grey) / 100 }
        return disturbed(Assessment(map: ScoreMap(height: frame.height, width: frame.width, values: map)))
    }

    func passesPerFrame(height: Int, width: Int) -> Int { 1 }
}

extension MethodResult {
    func mean(
        _ level: Figure.Level,
        _ name: Figure.Name,
        score: ScoreKind? = nil,
        fault: String? = nil
    ) -> Double? {
        figures.first {
            $0.key.level == level && $0.key.name == name && $0.key.score == score && $0.key.fault == fault
        }?.mean
    }
}
