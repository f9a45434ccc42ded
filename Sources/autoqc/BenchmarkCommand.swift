import ArgumentParser
import Benchmarking
import Foundation
import Tensors

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Compare methods on labelled frames: thresholds, figures, tables and pictures.",
        discussion: """
            The published layout: normal_train.csv, normal_val.csv and, for each fold N, \
            test_val_foldN.csv and test_test_foldN.csv with the header img_path,seg_path,label; label 1 is \
            faulty, a column fault names its class, paths are relative to --data. Every model of --models \
            is a method, named like its file, and one of the realtime profile a second one, NAME+normal, as the daemon judges \
            with it; `classical` needs no model. OUT gets results.json, \
            results.csv, results.md, plots/ and panels/. A stopped benchmark goes on where it was, and \
            nothing that is finished is computed again; OUT/cache may be deleted. --train first trains the \
            published methods whose model is not there, pddpm.safetensors and so on, on normal_train.csv.
            """
    )

    @Option(help: "Folder that the lists' paths are relative to.")
    var data: String
    @Option(help: "Folder of the lists (default: DATA/splits).")
    var splits: String?
    @Option(help: "Folder of trained models, *.safetensors (with --train by default OUT/models).")
    var models: String?
    @Option(help: "Folder for results and for what is kept between runs.")
    var out: String
    @Option(parsing: .upToNextOption, help: "Methods to run (default: all models, and classical).")
    var methods: [String] = []
    @OptionGroup(title: "Training of what is missing")
    var training: TrainingOptions
    @Option(help: ArgumentHelp(Precision.help))
    var precision = Precision.Choice.auto
    @OptionGroup var threads: ThreadOptions

    func run() throws {
        threads.apply()
        let benchmark = try Benchmark(data: data, splits: splits ?? "\(data)/splits", out: out)
        var leftOut: [String] = []
        if training.train {
            leftOut += try training.trainMissing(
                into: modelFolder ?? out,
                lists: benchmark.lists,
                only: methods
            )
        }
        let interruption = Interruption()
        let chosen = try chosenMethods(&leftOut)
        for problem in leftOut { Terminal.note(problem) }
        var display = Display()
        do {
            let results = try benchmark.run(chosen) { event in
                display.show(event)
                if interruption.isRequested { throw CancellationError() }
            }
            leftOut += results.leftOut
        } catch is CancellationError {
            Terminal.note("\nstopped; the same command goes on from here")
            throw ExitCode(130)
        }
        Terminal.note(
            "wrote \(out)/results.md, results.csv, results.json and plots, and panels where there are examples"
        )
        guard leftOut.isEmpty else {
            Terminal.note("\(leftOut.count) left out or done with less:")
            for problem in leftOut { Terminal.note("  \(problem)") }
            throw ExitCode(1)
        }
    }

    private var modelFolder: String? { models ?? (training.train ? "\(out)/models" : nil) }

    private func chosenMethods(_ leftOut: inout [String]) throws -> [any BenchmarkMethod] {
        var all: [any BenchmarkMethod] = [ClassicalBaseline()]
        if let modelFolder {
            let (found, problems) = try ModelMethod.all(
                in: modelFolder,
                precision: precision.precision
            )
            leftOut += problems
            all = found + DetectorMethod.all(in: modelFolder, precision: precision.precision) + all
        }
        guard !methods.isEmpty else { return all }
        let known = all.map(\.name)
        for name in methods where !known.contains(name) {
            leftOut.append("no method \(name); there are \(known.joined(separator: ", "))")
        }
        let chosen = all.filter { methods.contains($0.name) }
        guard !chosen.isEmpty else { throw ValidationError(leftOut.joined(separator: "\n")) }
        return chosen
    }

    /// What a person sees of a benchmark.
    private struct Display {
        private var terminal = Terminal()
        private var frames = ""

        mutating func show(_ event: Benchmark.Event) {
            switch event {
            case .problem(let sentence), .note(let sentence): Terminal.note(sentence)
            case .progress(let method, let stage, let done, let all):
                frames = "\(method): \(stage), frame \(done)/\(all)"
                terminal.progress(frames, isLast: done == all)
            case .passes(_, let done, let all):
                if all > 8 { terminal.progress("\(frames), pass \(done)/\(all) of the next") }
            case .fold(let number, let method, let wasKept):
                Terminal.note("\(method): fold \(number) \(wasKept ? "already done" : "done")")
            }
        }
    }
}
