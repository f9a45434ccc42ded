import ArgumentParser
import Benchmarking
import Diffusion
import Foundation
import Training

/// How a benchmark trains the models that it misses.
struct TrainingOptions: ParsableArguments {
    @Flag(help: "Train the published methods whose model is not there yet.")
    var train = false
    @Option(help: "Training steps of each method (default: 300 epochs).")
    var steps: Int?
    @Option(help: "Crops per step (default: 8).")
    var batch: Int?
    @Option(help: "Learning rate (default: 1e-4).")
    var learningRate: Float?
    @OptionGroup(title: "Options of the reference profile")
    var reference: ReferenceOptions

    func validate() throws {
        guard steps == nil || reference.epochs == nil else {
            throw ValidationError("give --steps or --epochs, not both")
        }
        guard learningRate.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--learning-rate must be above 0")
        }
    }

    /// Trains one method after another; gives a sentence for each that could not be trained.
    ///
    /// A training that was stopped goes on from its checkpoint.
    func trainMissing(into folder: String, lists: BenchmarkSplits, only names: [String]) throws -> [String] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var problems: [String] = []
        for method in Method.allCases where names.isEmpty || names.contains(method.rawValue) {
            let model = "\(folder)/\(method.rawValue).safetensors"
            guard !FileManager.default.fileExists(atPath: model) else { continue }
            Terminal.note("training \(method.rawValue)")
            do {
                try command(for: method, model: model, lists: lists).run()
            } catch let code as ExitCode { throw code } catch {
                problems.append("\(method.rawValue): cannot be trained: \(error); the method is left out")
            }
        }
        return problems
    }

    private func command(for method: Method, model: String, lists: BenchmarkSplits) throws -> TrainCommand {
        var command = try TrainCommand.parse([
            "--method", method.rawValue, "--profile", "reference", "--normal", ".", "--out", model,
        ])
        command.normal = lists.normalTrain.map(\.image)
        command.validation = lists.normalValidation.map(\.image)
        (command.steps, command.batch, command.learningRate) = (steps, batch, learningRate)
        command.reference = reference
        command.resume = FileManager.default.fileExists(atPath: model + ".checkpoint")
        return command
    }
}
