import Detection
import Digests
import Foundation
import Mathematics
import Plate
import Training

/// Compares methods on the folds of a benchmark and writes what it finds.
///
/// A fold that a method has finished is kept and not computed again, as long as the method and the fold's
/// frames are the same; so are the assessments of single frames. An interrupted benchmark goes on where it
/// was.
package struct Benchmark {
    /// A report to the caller while the benchmark runs.
    package enum Event: Sendable, Equatable {
        /// Something is left out, or goes on with less; a sentence.
        case problem(String)
        /// What is taken for granted; a sentence.
        case note(String)
        /// Progress of a method's passes over a single frame.
        case passes(method: String, done: Int, all: Int)
        /// Progress of a stage of a method's work.
        case progress(method: String, stage: String, done: Int, all: Int)
        /// A method has finished a fold, now or in an earlier run.
        case fold(Int, method: String, wasKept: Bool)
    }

    private let data: String
    private let splits: BenchmarkSplits
    private let splitsFolder: String
    private let output: OutputFolder

    /// The lists that were read.
    package var lists: BenchmarkSplits { splits }

    /// Reads the lists of `splits`; frames are relative to `data`, everything is written below `out`.
    ///
    /// Throws if there is no fold or the output cannot be written.
    package init(data: String, splits: String, out: String) throws(BenchmarkError) {
        self.data = data
        self.splitsFolder = splits
        self.splits = try BenchmarkSplits(folder: splits, base: data)
        self.output = try OutputFolder(path: out)
    }

    /// Runs the methods one after another, each over all folds, and writes the outputs after each.
    ///
    /// A failing method is reported and left out; the others go on. `report` throws `CancellationError` to
    /// stop; finished folds are kept.
    package func run(
        _ methods: [any BenchmarkMethod],
        report: (Event) throws -> Void
    ) throws -> BenchmarkResults {
        var results = BenchmarkResults(data: data, splits: splitsFolder, methods: [], leftOut: [])
        func note(_ problems: [String]) throws {
            for problem in problems { try report(.problem(problem)) }
            results.leftOut += problems
        }
        for sentence in splits.notes { try report(.note(sentence)) }
        var survey = FrameSurvey()
        let folds = splits.folds.map { SurveyedFold($0, survey: &survey) }
        let usable = folds.filter { $0.fault == nil }
        try note(splits.problems + survey.problems + folds.compactMap(\.fault))
        let examples = PanelExamples(folds: usable)
        for method in methods {
            var run = MethodRun(method: method, splits: splits, output: output, examples: examples)
            do {
                let result = try run.result(of: usable, report: report)
                results.leftOut += run.notes.all
                try note(result.folds.flatMap(\.leftOut).uniqued())
                results.methods.append(result)
            } catch let error as CancellationError { throw error } catch {
                try note(["\(method.name): \(error); the method is left out"])
            }
            try write(results, examples: examples)
        }
        return results
    }

    private func write(_ results: BenchmarkResults, examples: PanelExamples) throws {
        try output.writeJSON(results, to: "results.json")
        let tables = ResultTables(results)
        try output.write(tables.csv, to: "results.csv")
        try output.write(tables.markdown, to: "results.md")
        for (name, svg) in ResultPlots(results).all {
            try output.write(svg, to: "plots/\(OutputFolder.fileName(name)).svg")
        }
        for (fault, example) in examples.all {
            let panel = try QualitativePanel(fault: fault, example: example, results: results, output: output)
            guard let panel else { continue }
            try output.write(panel.svg, to: "panels/\(OutputFolder.fileName(fault)).svg")
        }
    }
}

extension Array where Element: Hashable {
    /// Without repeats, in order.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

struct SurveyedFold {
    let number: Int
    let validation: [BenchmarkFrame]
    let test: [BenchmarkFrame]

    init(_ fold: BenchmarkSplits.Fold, survey: inout FrameSurvey) {
        number = fold.number
        validation = survey.frames(fold.validation)
        test = survey.frames(fold.test)
    }

    /// Why no figure can come from the fold, in words; `nil` if some can.
    var fault: String? {
        let lists = [("test_val_fold", validation), ("test_test_fold", test)]
        for (name, frames) in lists {
            for (kind, isFaulty) in [("faulty", true), ("normal", false)]
            where !frames.contains(where: { $0.isFaulty == isFaulty }) {
                return "\(name)\(number).csv: no \(kind) frame that can be used; fold \(number) is left out, "
                    + "add one to the list"
            }
        }
        return nil
    }
}

struct MethodRun {
    var method: any BenchmarkMethod
    let splits: BenchmarkSplits
    let output: OutputFolder
    let examples: PanelExamples
    /// Frames that the method could not assess, with the reason.
    private(set) var failures: [String: String] = [:]
    /// What the method said of its preparation.
    let notes = Notes()

    /// Sentences gathered while a method prepares itself.
    final class Notes {
        fileprivate(set) var all: [String] = []
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
            for (index, fold) in folds.enumerated() {
                let kept = results[index]
                guard
                    let result = try kept ?? evaluated(fold, fingerprint: fingerprint, report: report)
                else { continue }
                if kept == nil { try output.keep(result, method: name, key: keys[index]) }
                results[index] = result
                try report(.fold(fold.number, method: name, wasKept: kept != nil))
            }
            return summary(of: results.compactMap { $0 }, fingerprint: fingerprint, folds: folds)
        }
    }

    /// A digest of everything that a fold's result depends on; the leading number is the version of the figures.
    private static func key(fingerprint: String, fold: SurveyedFold) -> String {
        let lines =
            ["3", fingerprint] + fold.validation.map(\.identity) + ["test"] + fold.test.map(\.identity)
        return Digest.sha256(Data(lines.joined(separator: "\n").utf8))
    }

    /// The figures of a fold; `nil` if the method's answers leave no threshold to find.
    private mutating func evaluated(
        _ fold: SurveyedFold,
        fingerprint: String,
        report: (Benchmark.Event) throws -> Void
    ) throws -> FoldResult? {
        let all = fold.validation.count + fold.test.count
        var leftOut: [String] = []
        var items: [[FoldEvaluation.Item]] = []
        var listFingerprint = fingerprint
        for (frames, start) in [(fold.validation, 0), (fold.test, fold.validation.count)] {
            items.append([])
            let ofList = try frames.first.map { method.begin(listWith: try $0.labelled.readFrame()) } ?? ""
            listFingerprint = ofList.isEmpty ? fingerprint : "\(fingerprint) \(ofList)"
            let store = try AssessmentStore(
                folder: output.cache(method: method.name, fingerprint: listFingerprint)
            )
            for (index, frame) in frames.enumerated() {
                let stage = "fold \(fold.number)"
                try report(.progress(method: method.name, stage: stage, done: start + index, all: all))
                if let record = try record(of: frame, store: store, report: report) {
                    items[items.count - 1].append(
                        FoldEvaluation.Item(frame: frame, record: record, store: store)
                    )
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
        // The list of the test frames came last.
        return try FoldEvaluation(validation: items[0], test: items[1]).result(
            number: fold.number,
            assessments: listFingerprint,
            leftOut: leftOut
        )
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
        let times = results.compactMap(\.secondsPerFrame)
        return MethodResult(
            name: method.name,
            summary: method.summary,
            fingerprint: fingerprint,
            passesPerFrame: method.passesPerFrame(height: common[0], width: common[1]),
            framesPerSecond: times.isEmpty ? nil : 1 / max(times.median, 1e-9),
            folds: results,
            figures: FigureSummary.all(of: results)
        )
    }
}

/// The reason why a benchmark, or a part of it, cannot run.
package struct BenchmarkError: Error, Sendable, CustomStringConvertible {
    /// One sentence that says what is wrong, where, and what to do.
    package let description: String

    /// Wraps a sentence.
    package init(_ description: String) { self.description = description }
}
