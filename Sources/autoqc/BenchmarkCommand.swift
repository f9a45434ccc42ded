import ArgumentParser
import Benchmarking
import Foundation
import Tensors

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Compare methods on labelled frames: thresholds, figures, tables, pictures.",
        discussion: """
            The lists have the published layout: normal_train.csv, normal_val.csv and, for each fold N, \
            test_val_foldN.csv and test_test_foldN.csv, with the header img_path,seg_path,label (label 1 is \
            faulty). Paths are relative to --data. A column `fault` names the class. Every model of --models \
            is a method named like its file. A realtime model is a second one, NAME+normal, as the daemon \
            judges with it. `classical` needs no model. OUT gets results.json, results.csv, results.md, \
            plots/ and panels/. A stopped benchmark goes on where it was. OUT/cache may be deleted. --train \
            first trains missing published methods.

            --published DIR is the published benchmark on its own data: published methods only, at the \
            published size, with the published scaling, noise and residual. docs/benchmark.md names the \
            differences that remain.

            Examples:
              autoqc benchmark --data set --models models --out results
              autoqc benchmark --published S-BIAD2133 --models models
            """
    )

    @Option(
        help: ArgumentHelp("Folder that the lists' paths are relative to.", valueName: "DIR"),
        completion: .directory
    )
    var data: String?
    @Option(
        help: ArgumentHelp(
            "The same, with everything as the published evaluation does it.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var published: String?
    @Option(
        help: ArgumentHelp("Folder of the lists (default: DATA/splits).", valueName: "DIR"),
        completion: .directory
    )
    var splits: String?
    @Option(
        help: ArgumentHelp(
            "Folder of trained models, *.safetensors (with --train and --published by default OUT/models).",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var models: String?
    @Option(
        name: .customLong("out"),
        help: ArgumentHelp(
            "Folder for results and for what is kept between runs (with --published by default published-results).",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var chosenOut: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Methods to run (default: all models, and classical).", valueName: "METHOD")
    )
    var methods: [String] = []
    @OptionGroup(title: "Training of what is missing")
    var training: TrainingOptions
    @Option(help: ArgumentHelp(Precision.help, valueName: "NAME"))
    var precision = Precision.Choice.auto
    @OptionGroup var threads: ThreadOptions

    func validate() throws {
        guard (data == nil) != (published == nil) else {
            throw ValidationError("give --data or --published, not both")
        }
        guard published != nil || chosenOut != nil else {
            throw ValidationError("give --out, a folder for the results")
        }
    }

    private var out: String { chosenOut ?? "published-results" }
    /// Whether missing models are trained; the published benchmark does, where it has no models.
    private var trains: Bool { training.train || published != nil && models == nil }

    func run() throws {
        threads.apply()
        let data = data ?? published ?? ""
        let benchmark = try Benchmark(data: data, splits: splits ?? "\(data)/splits", out: out)
        var leftOut: [String] = []
        if trains {
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

    private var modelFolder: String? { models ?? (trains ? "\(out)/models" : nil) }

    private func chosenMethods(_ leftOut: inout [String]) throws -> [any BenchmarkMethod] {
        var all: [any BenchmarkMethod] = [ClassicalBaseline()]
        if let modelFolder {
            let (found, problems) = try ModelMethod.all(
                in: modelFolder,
                precision: precision.precision,
                published: published != nil
            )
            leftOut += problems
            all =
                published != nil
                ? found : found + DetectorMethod.all(in: modelFolder, precision: precision.precision) + all
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
