import Foundation
import Frames
import Plate
import TestSupport
import Testing
import Verdict

@testable import Benchmarking

/// What is wrong is said with file, row and remedy, and the rest goes on.
@Suite struct BenchmarkBadInputTests {
    /// Damages a benchmark, runs it, and looks for words in one of the sentences.
    private func expectSentence(
        _ words: [String],
        folds: [Int] = [0, 1],
        disturbed: @escaping (Assessment) -> Assessment = { $0 },
        damage: (TinyBenchmark) throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            try damage(tiny)
            let method = GreyDistance()
            method.disturbed = disturbed
            let (results, problems) = try tiny.run([method])
            let found = problems.contains { problem in words.allSatisfy { problem.contains($0) } }
            #expect(found, "\(words) not in \(problems)")
            #expect(results.leftOut == problems)
            #expect(results.methods.first?.folds.map(\.number) == folds)
            #expect(results.methods.first?.mean(.image, .auc, score: .maximum) == 1)
        }
    }

    private func edit(_ tiny: TinyBenchmark, _ list: String, _ change: (inout [String]) -> Void) throws {
        let path = tiny.splits.appending(path: list)
        var lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map { String($0) }
        change(&lines)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: path)
    }

    @Test func missingColumns() async throws {
        try await expectSentence(
            ["test_val_fold1.csv", "columns img_path; it has 'path'", "fold 1 is left out"],
            folds: [0]
        ) {
            try edit($0, "test_val_fold1.csv") { $0[0] = "path,seg_path,label,fault" }
        }
    }

    /// f-AnoGAN's lists, and training lists without labels: used, and said.
    @Test func listsOfEachFoldTakeThePlaceOfOneForAll() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            let splits = tiny.splits
            for (name, fold) in [("normal_train", 1), ("normal_val", 1), ("normal_train", 10)] {
                let text = try String(contentsOf: splits.appending(path: "normal_train.csv"), encoding: .utf8)
                let paths = text.split(separator: "\n").map { $0.prefix { $0 != "," } }.joined(
                    separator: "\n"
                )
                try Data("\(paths)\n".utf8).write(to: splits.appending(path: "\(name)_fold\(fold).csv"))
            }
            for name in ["normal_train", "normal_val"] {
                try FileManager.default.removeItem(at: splits.appending(path: "\(name).csv"))
            }
            var notes: [String] = []
            let results = try tiny.benchmark().run([ClassicalBaseline()]) { event in
                if case .note(let sentence) = event { notes.append(sentence) }
            }
            #expect(results.leftOut.isEmpty)
            #expect(results.methods.first?.mean(.image, .auc, score: .patch) == 1)
            #expect(
                notes.contains { $0.contains("normal_train_fold1.csv takes the place of normal_train.csv") }
            )
            #expect(notes.contains { $0.contains("24 of 24 frames have no label, and count as normal") })
        }
    }

    @Test func missingFoldFile() async throws {
        try await expectSentence(["test_test_fold0.csv", "cannot be read", "fold 0 is left out"], folds: [1])
        {
            try FileManager.default.removeItem(at: $0.splits.appending(path: "test_test_fold0.csv"))
        }
    }

    @Test func rowsThatCannotBeRead() async throws {
        try await expectSentence(["test_test_fold0.csv, row 3", "the label is 'maybe'", "row is left out"]) {
            try edit($0, "test_test_fold0.csv") { $0[2] = "test/f3.tiff,test/m3.tiff,maybe,dust" }
        }
    }

    @Test func absentFrames() async throws {
        try await expectSentence(["row 2", "test/n0.tiff", "left out"]) {
            try FileManager.default.removeItem(at: $0.folder.appending(path: "test/n0.tiff"))
        }
    }

    @Test func damagedFrames() async throws {
        try await expectSentence(["test/n1.tiff", "left out"]) {
            try Data("II*".utf8).write(to: $0.folder.appending(path: "test/n1.tiff"))
        }
    }

    @Test func absentMasks() async throws {
        try await expectSentence(["test/m1.tiff", "image figures only"]) {
            try FileManager.default.removeItem(at: $0.folder.appending(path: "test/m1.tiff"))
        }
    }

    @Test func masksOfAnotherSize() async throws {
        try await expectSentence(["test/m2.tiff is 20 x 30", "64 x 48", "correct the mask"]) {
            try $0.write("test/m2", Frame(height: 30, width: 20, pixels: [Float](repeating: 1, count: 600)))
        }
    }

    @Test func emptyMasksOfFaultyFrames() async throws {
        try await expectSentence(["test/m0.tiff", "empty though the frame is faulty"]) {
            try $0.write(
                "test/m0",
                Frame(height: 48, width: 64, pixels: [Float](repeating: 0, count: 48 * 64))
            )
        }
    }

    @Test(arguments: [("1", "faulty"), ("0", "normal")])
    func foldsWithoutAClass(label: String, kind: String) async throws {
        try await expectSentence(
            ["test_val_fold0.csv", "no \(kind) frame", "fold 0 is left out"],
            folds: [1]
        ) {
            try edit($0, "test_val_fold0.csv") {
                $0.removeAll { $0.contains(".tiff,\(label),") || $0.contains(",,\(label),") }
            }
        }
    }

    @Test func answersThatAreNotNumbers() async throws {
        let spoil = { (assessment: Assessment) in
            var assessment = assessment
            // Faulty frames of the class bubble are the brightest.
            if assessment.scores.maximum > 1.1 { assessment.map?.values[7] = .nan }
            return assessment
        }
        try await expectSentence(
            ["grey", "row ", "test/f2.tiff", "not numbers", "left out"],
            disturbed: spoil
        ) { _ in }
    }

    @Test func faultyMethodsDoNotStopOthers() async throws {
        struct Broken: BenchmarkMethod {
            let name = "broken"
            let summary = "never works"
            func fingerprint(_ context: MethodContext) -> String { "" }
            func prepare(_ context: MethodContext) throws { throw BenchmarkError("out of order") }
            func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) -> Assessment {
                Assessment(score: 0)
            }
            func passesPerFrame(height: Int, width: Int) -> Int { 0 }
        }
        try await withTemporaryFolder { folder in
            let (results, problems) = try TinyBenchmark.discs(in: folder).run([Broken(), GreyDistance()])
            #expect(problems == ["broken: out of order; the method is left out"])
            #expect(results.methods.map(\.name) == ["grey"])
        }
    }

    @Test func noFoldAtAll() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark(folder: folder)
            let error = #expect(throws: BenchmarkError.self) { try tiny.benchmark() }
            #expect(error?.description.contains("test_val_fold0.csv") == true)
        }
    }

    @Test func baselineWithoutNormalFrames() async throws {
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            try tiny.list("normal_train", [])
            let (results, problems) = try tiny.run([ClassicalBaseline(), GreyDistance()])
            #expect(problems.contains { $0.contains("classical") && $0.contains("normal_train.csv") })
            #expect(results.methods.map(\.name) == ["grey"])
        }
    }

    @Test func damagedModels() async throws {
        try await withTemporaryFolder { folder in
            let empty = #expect(throws: BenchmarkError.self) { try ModelMethod.all(in: folder.path) }
            #expect(empty?.description.contains(folder.path) == true)
            let shipped = packageRoot.appending(path: "examples/models/complexeye.safetensors")
            var data = try Data(contentsOf: shipped)
            try data.write(to: folder.appending(path: "whole.safetensors"))
            try data.prefix(5000).write(to: folder.appending(path: "cut.safetensors"))
            data[data.count - 9] ^= 1
            try data.write(to: folder.appending(path: "flipped.safetensors"))
            let (methods, problems) = try ModelMethod.all(in: folder.path)
            #expect(methods.map(\.name) == ["whole"])
            #expect(problems.count == 2)
            #expect(problems[0].contains("cut.safetensors") && problems[1].contains("flipped.safetensors"))
        }
    }
}
