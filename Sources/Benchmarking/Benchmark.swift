import Foundation
import Plate
import Training

/// Compares methods on the folds of a benchmark and writes what it finds.
///
/// A fold that a method has finished is kept and not computed again, as long as the method and the fold's
/// frames are the same; so are the assessments of single frames. An interrupted benchmark goes on where it
/// was.
package struct Benchmark {
    /// What a caller hears while it runs.
    package enum Event: Sendable, Equatable {
        /// Something is left out, or goes on with less; a sentence.
        case problem(String)
        /// How far a method is with the passes of a single frame.
        case passes(method: String, done: Int, all: Int)
        /// How far a method is with a stage of its work.
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
    /// What fails is reported and left out, and the rest goes on. `report` throws `CancellationError` to
    /// stop; what is finished by then is kept.
    package func run(
        _ methods: [any BenchmarkMethod],
        report: (Event) throws -> Void
    ) throws -> BenchmarkResults {
        var results = BenchmarkResults(data: data, splits: splitsFolder, methods: [], leftOut: [])
        func note(_ problems: [String]) throws {
            for problem in problems { try report(.problem(problem)) }
            results.leftOut += problems
        }
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
        for (name, plot) in ResultPlots(results).all {
            try output.write(plot.svg, to: "plots/\(OutputFolder.fileName(name)).svg")
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

/// A fold with the frames that can be used.
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
