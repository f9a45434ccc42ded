import Detection
import Foundation
import Plate
import Training

/// One method over all folds.
struct MethodRun {
    private var method: any BenchmarkMethod
    private let splits: BenchmarkSplits
    private let output: OutputFolder
    private let examples: PanelExamples
    /// Frames that the method could not assess, with the reason.
    private var failures: [String: String] = [:]
    /// What the method said of its preparation.
    let notes = Notes()

    /// Sentences gathered while a method prepares itself.
    final class Notes {
        fileprivate(set) var all: [String] = []
    }

    init(
        method: any BenchmarkMethod,
        splits: BenchmarkSplits,
        output: OutputFolder,
        examples: PanelExamples
    ) {
        (self.method, self.splits, self.output, self.examples) = (method, splits, output, examples)
    }

    /// Computes what is not kept.
    mutating func result(
        of folds: [SurveyedFold],
        report: (Benchmark.Event) throws -> Void
    ) throws -> MethodResult {
        try withoutActuallyEscaping(report) { report in
            let (name, notes) = (method.name, notes)
            let context = MethodContext(
                normal: splits.normalTrain,
                validation: splits.normalValidation,
                folder: try output.workshop(method: name),
                report: { try report(.progress(method: name, stage: "preparing", done: $0, all: $1)) },
                note: {
                    notes.all.append("\(name): \($0)")
                    try report(.problem("\(name): \($0)"))
                }
            )
            let fingerprint = try method.fingerprint(context)
            let keys = folds.map { Self.key(fingerprint: fingerprint, fold: $0) }
            var results = zip(folds, keys).map { output.keptFold($0.number, method: name, key: $1) }
            if results.contains(nil) { try method.prepare(context) }
            let store = try AssessmentStore(folder: output.cache(method: name, fingerprint: fingerprint))
            for (index, fold) in folds.enumerated() {
                let kept = results[index]
                guard let result = try kept ?? evaluated(fold, store: store, report: report) else { continue }
                if kept == nil { try output.keep(result, method: name, key: keys[index]) }
                results[index] = result
                try report(.fold(fold.number, method: name, wasKept: kept != nil))
            }
            return summary(of: results.compactMap { $0 }, fingerprint: fingerprint, folds: folds)
        }
    }

    /// What the result of a fold depends on; the leading number changes with the figures themselves.
    private static func key(fingerprint: String, fold: SurveyedFold) -> String {
        let lines =
            ["1", fingerprint] + fold.validation.map(\.identity) + ["test"] + fold.test.map(\.identity)
        return Digest.sha256(Data(lines.joined(separator: "\n").utf8))
    }

    /// The figures of a fold; `nil` if the method's answers leave no threshold to find.
    private mutating func evaluated(
        _ fold: SurveyedFold,
        store: AssessmentStore,
        report: (Benchmark.Event) throws -> Void
    ) throws -> FoldResult? {
        let all = fold.validation.count + fold.test.count
        var leftOut: [String] = []
        var items: [[FoldEvaluation.Item]] = []
        for (frames, start) in [(fold.validation, 0), (fold.test, fold.validation.count)] {
            items.append([])
            for (index, frame) in frames.enumerated() {
                let stage = "fold \(fold.number)"
                try report(.progress(method: method.name, stage: stage, done: start + index, all: all))
                if let record = try record(of: frame, store: store, report: report) {
                    items[items.count - 1].append(FoldEvaluation.Item(frame: frame, record: record))
                } else {
                    let reason = failures[frame.digest] ?? ""
                    leftOut.append(
                        "\(method.name): \(frame.labelled.place): \(reason); the frame is left out"
                    )
                }
            }
        }
        try report(.progress(method: method.name, stage: "fold \(fold.number)", done: all, all: all))
        guard Set(items[0].map(\.frame.isFaulty)).count == 2, !items[1].isEmpty else {
            let reason = leftOut.first ?? "frames are missing"
            notes.all.append(
                "\(method.name): fold \(fold.number) is left out, too few frames remain; \(reason)"
            )
            try report(.problem(notes.all[notes.all.count - 1]))
            return nil
        }
        let evaluation = FoldEvaluation(validation: items[0], test: items[1]) { try store.map(of: $0) }
        return try evaluation.result(number: fold.number, leftOut: leftOut)
    }

    /// The kept record of a frame or a new one; `nil` if the method's answer cannot be counted.
    private mutating func record(
        of frame: BenchmarkFrame,
        store: AssessmentStore,
        report: (Benchmark.Event) throws -> Void
    ) throws -> AssessmentRecord? {
        if failures[frame.digest] != nil { return nil }
        if let known = store.record(of: frame) { return known }
        let image = try frame.labelled.readFrame()
        let clock = ContinuousClock()
        let start = clock.now
        // A frame may take an hour, but what hears of its passes cannot stop it.
        let assessment = try method.assess(image) { done, all in
            try? report(.passes(method: method.name, done: done, all: all))
        }
        let seconds = (clock.now - start) / .seconds(1)
        if let fault = assessment.fault(height: image.height, width: image.width) {
            failures[frame.digest] = "the method \(fault) for \(frame.labelled.image)"
            return nil
        }
        return try store.keep(
            assessment,
            of: frame,
            seconds: seconds,
            withImages: examples.contain(frame)
        )
    }

    private func summary(of results: [FoldResult], fingerprint: String, folds: [SurveyedFold]) -> MethodResult
    {
        let frames = folds.flatMap(\.test)
        let sizes = Dictionary(grouping: frames) { [$0.height, $0.width] }
        let common = sizes.max { ($0.value.count, $0.key[0]) < ($1.value.count, $1.key[0]) }?.key ?? [1, 1]
        let seconds = FoldEvaluation.median(results.compactMap(\.secondsPerFrame))
        return MethodResult(
            name: method.name,
            summary: method.summary,
            fingerprint: fingerprint,
            passesPerFrame: method.passesPerFrame(height: common[0], width: common[1]),
            framesPerSecond: seconds.map { 1 / max($0, 1e-9) },
            folds: results,
            figures: FigureSummary.all(of: results)
        )
    }
}
