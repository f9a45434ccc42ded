import ArgumentParser
import Detection
import Foundation
import Tensors
import Training

/// `autoqc train`.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a model on normal frames.",
        discussion: """
            Frames are TIFF files, folders, globs, or CSV lists with the header img_path,seg_path,label (label 0 is \
            normal). Every tenth frame is held out for the validation loss. A checkpoint MODEL.checkpoint is written \
            every few minutes and on SIGINT or SIGTERM; --resume goes on from it exactly. When training is done the \
            model is calibrated on its own normal frames; `autoqc calibrate` does that again on others.
            """
    )

    @Option(name: .long, parsing: .upToNextOption, help: "Normal frames: files, folders, globs or CSV lists.")
    var normal: [String]
    @Option(help: "The model file to write.")
    var out: String
    @Option(help: "Training steps of 8 crops of 192 x 192.")
    var steps: Int?
    @Option(help: "Seed; the same seed on the same machine and threads gives the same model.")
    var seed: UInt64 = 1
    @Option(help: "Test timestep, an index into the 1000 steps of the schedule.")
    var timestep = 49
    @Option(help: "Pixels per side of a patch.")
    var patch = 64
    @Option(help: "Passes per frame: 2 or 4.")
    var phases = 2
    @Option(help: "Threads (default: all cores).")
    var threads: Int?
    @Flag(help: "Go on from MODEL.checkpoint.")
    var resume = false

    private var checkpoint: String { out + ".checkpoint" }
    private static let checkpointInterval = Duration.seconds(120)

    func validate() throws {
        guard steps.map({ $0 > 0 }) ?? true else { throw ValidationError("--steps must be above 0") }
        guard threads.map({ $0 > 0 }) ?? true else { throw ValidationError("--threads must be above 0") }
    }

    func run() throws {
        if let threads { Compute.setThreads(threads) }
        let paths = try FramePaths.normal(normal)
        let frames = try FrameSet(paths: paths)
        for reason in frames.unreadable.prefix(5) { Terminal.note("skipped: \(reason)") }
        if !frames.unreadable.isEmpty { Terminal.note("\(frames.unreadable.count) unreadable files skipped") }
        Terminal.note("\(frames.count) normal frames of \(frames.width) x \(frames.height)")
        let trainer = try makeTrainer(frames)
        try train(trainer)
        try finish(trainer, frames: frames)
    }

    private func makeTrainer(_ frames: FrameSet) throws -> Trainer {
        if resume {
            guard FileManager.default.fileExists(atPath: checkpoint) else {
                throw ValidationError("no checkpoint at \(checkpoint); train without --resume")
            }
            return try Trainer(resuming: checkpoint, steps: steps, frames: frames)
        }
        guard let division = PatchPhases(patch: patch, count: phases),
            let diffusion = PatchedDiffusion(
                timestep: timestep,
                noise: .simplex,
                noiseSeed: seed,
                phases: division
            )
        else { throw ValidationError("--timestep is 0 to 999, --phases 2 or 4, --patch above 0") }
        var options = Trainer.Options()
        if let steps { options.steps = steps }
        options.seed = seed
        return try Trainer(options: options, frames: frames, diffusion: diffusion)
    }

    private func train(_ trainer: any MethodTrainer) throws {
        let interruption = Interruption()
        var terminal = Terminal()
        let clock = ContinuousClock()
        var saved = clock.now
        try trainer.run(
            report: { progress in
                let validation = progress.validationLoss.map { "  validation \($0.digits(4))" } ?? ""
                terminal.progress(
                    "step \(progress.step)/\(progress.steps)  loss \(progress.loss.digits(4))\(validation)  "
                        + "\(progress.cropsPerSecond.digits(1)) frames/s  "
                        + "\(Terminal.duration(progress.secondsLeft)) left",
                    isLast: progress.step == progress.steps
                )
                if clock.now - saved > Self.checkpointInterval {
                    try trainer.writeCheckpoint(path: checkpoint)
                    saved = clock.now
                }
            },
            shouldStop: { interruption.isRequested }
        )
        guard !interruption.isRequested else {
            try trainer.writeCheckpoint(path: checkpoint)
            Terminal.note(
                "\nstopped at step \(trainer.step); go on with --resume (checkpoint: \(checkpoint))"
            )
            throw ExitCode(130)
        }
    }

    private func finish(_ trainer: any MethodTrainer, frames: FrameSet) throws {
        let program = URL(filePath: CommandLine.arguments[0]).lastPathComponent
        let command = ([program] + CommandLine.arguments.dropFirst()).joined(separator: " ")
        var model = trainer.model(command: command)
        var terminal = Terminal()
        var options = Calibrator.Options()
        options.variations = 4
        let calibrator = try Calibrator(model: model, path: out, options: options)
        model.description.calibration = try calibrator.labelFree(frames) { done, all in
            terminal.progress("calibrating on frame \(done)/\(all)", isLast: done == all)
        }
        try model.write(path: out)
        try? FileManager.default.removeItem(atPath: checkpoint)
        let curve = LossCurve(trainer.history)
        try curve.write(csv: out + ".loss.csv")
        try curve.write(png: out + ".loss.png")
        Terminal.note("wrote \(out), \(out).loss.csv and \(out).loss.png")
    }
}
