import ArgumentParser
import Detection
import Diffusion
import Files
import Foundation
import Tables
import Tensors
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a model on normal frames.",
        discussion: """
            Frames are TIFF files, folders, globs, or CSV lists with the header img_path,seg_path,label \
            (label 0 is normal). --profile realtime makes a model for `watch`, --profile reference one of \
            the published methods. Every tenth frame is held out for the validation loss, unless \
            --validation names frames. MODEL.checkpoint is written every few minutes and on SIGINT or \
            SIGTERM, and --resume goes on from it exactly. A realtime model is calibrated on its own frames \
            at the end; calibrate it on other normal frames afterwards.

            --from MODEL goes on from a finished realtime model: a lab adapts it to its own frames in \
            minutes. The command reports whether that helped: the losses on held-out frames, and how well \
            faults on copies of them are found.

            Examples:
              autoqc train --normal frames --out mine.safetensors
              autoqc train --from complexeye.safetensors --normal frames \\
                  --out mine.safetensors --steps 200
              autoqc train --method pddpm --profile reference --normal normal.csv \\
                  --out pddpm.safetensors
            """
    )

    /// The two ways of doing the same.
    enum ProfileName: String, ExpressibleByArgument, CaseIterable {
        case realtime
        case reference
    }

    @Option(help: ArgumentHelp("pddpm, ddpm, ae, vae or fanogan.", valueName: "METHOD"))
    var method = Method.pddpm
    @Option(help: ArgumentHelp("realtime (pddpm only) or reference.", valueName: "NAME"))
    var profile = ProfileName.realtime
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp("Normal frames: files, folders, globs or CSV lists.", valueName: "PATH"),
        completion: .file()
    )
    var normal: [String]
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp("Normal frames to choose by (default: each tenth).", valueName: "PATH"),
        completion: .file()
    )
    var validation: [String] = []
    @Option(help: ArgumentHelp("The model file to write.", valueName: "FILE"), completion: .file())
    var out: String
    @Option(
        help: ArgumentHelp("Go on from this finished model of the realtime profile.", valueName: "FILE"),
        completion: .file()
    )
    var from: String?
    @Option(
        help: ArgumentHelp(
            "Training steps (default: 2500, with --from 300, with --profile reference 300 epochs).",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.steps)
    )
    var steps: Int?
    @Option(
        help: ArgumentHelp("Crops per step (default: 8).", valueName: "N"),
        transform: NumberOption.within(NumberOption.batch)
    )
    var batch: Int?
    @Option(
        help: ArgumentHelp(
            "Learning rate (default: at most 6e-4, with --profile reference 1e-4).",
            valueName: "RATE"
        ),
        transform: NumberOption.within(NumberOption.learningRate)
    )
    var learningRate: Float?
    @Option(
        help: ArgumentHelp(
            "Seed (default: 1). The same seed, machine and number of threads give the same model.",
            valueName: "N"
        )
    )
    var seed: UInt64?
    @Option(
        help: ArgumentHelp(
            """
            Test timestep, an index into the 1000 steps of the schedule (default: 100; reference: 49, AE and VAE 0).
            """,
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.timestep)
    )
    var timestep: Int?
    @Option(
        help: ArgumentHelp(
            "Pixels per side of a patch (default: 64, with --profile reference half the window).",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.side)
    )
    var patch: Int?
    @Option(
        help: ArgumentHelp("Passes per frame of the realtime profile: 2 or 4.", valueName: "N"),
        transform: NumberOption.within(2...4)
    )
    var phases = 2
    @Option(
        help: ArgumentHelp(
            "simplex, gaussian or coarse (default: simplex, or gaussian for DDPM).",
            valueName: "NAME"
        )
    )
    var noise: NoiseKind?
    @Option(
        help: ArgumentHelp(
            "Residual of input and reconstruction, one of l1, l2, dssim, l1+dssim.",
            valueName: "NAME"
        )
    )
    var residual = Residual.l1DSSIM
    @OptionGroup(title: "Options of the realtime profile")
    var realtime: RealtimeOptions
    @OptionGroup(title: "Options of the reference profile")
    var reference: ReferenceOptions
    @Flag(help: "Calibrate a reference model at the end, too; at an overlap of 0.8 that takes long.")
    var calibrate = false
    @OptionGroup var planes: PlaneOptions
    @OptionGroup var threads: ThreadOptions
    @Flag(help: "Go on from MODEL.checkpoint.")
    var resume = false

    private var checkpoint: String { out + ".checkpoint" }
    private static let checkpointInterval = Duration.seconds(120)

    func validate() throws {
        guard steps == nil || reference.epochs == nil else {
            throw ValidationError("give --steps or --epochs, not both")
        }
        guard profile == .realtime else {
            guard from == nil else { throw ValidationError("--from is for --profile realtime only") }
            guard realtime.given.isEmpty else {
                let names = realtime.given.joined(separator: ", ")
                throw ValidationError("\(names): for --profile realtime only")
            }
            return
        }
        guard from == nil || !resume else {
            throw ValidationError("give --from to begin with a model, or --resume to go on with a checkpoint")
        }
        let fixed =
            [
                ("--timestep", timestep != nil), ("--patch", patch != nil), ("--noise", noise != nil),
                ("--phases", phases != 2),
            ].filter(\.1).map(\.0) + realtime.given
        guard from == nil || fixed.isEmpty else {
            throw ValidationError("\(fixed.joined(separator: ", ")): these are the model's own with --from")
        }
        guard method == .pddpm else {
            throw ValidationError(
                "the realtime profile knows pddpm only; train \(method.rawValue) with --profile reference"
            )
        }
        guard reference.given.isEmpty else {
            throw ValidationError("\(reference.given.joined(separator: ", ")): for --profile reference only")
        }
    }

    func run() throws {
        threads.apply()
        // Before hours of training, not after them.
        try OutputFile.check(out)
        guard OutputFile.isPlain(out) else {
            throw DataError(
                "\(out) is no plain file; a training writes a checkpoint and its losses beside the model"
            )
        }
        guard resume || !FileManager.default.fileExists(atPath: checkpoint) else {
            throw ValidationError(
                "\(checkpoint) is left from a training that was stopped; go on with --resume, or remove it"
            )
        }
        let frames = try frames(normal, called: "normal frames")
        let held = validation.isEmpty ? nil : try self.frames(validation, called: "frames for validation")
        let trainer = try makeTrainer(frames, validation: held)
        let interruption = Interruption()
        try train(trainer, interruption)
        try finish(trainer, frames: frames, interruption)
    }

    private func frames(_ arguments: [String], called name: String) throws -> FrameSet {
        let frames = try FrameSet(
            paths: try FramePaths.normal(arguments, note: Terminal.note),
            choice: planes.choice
        )
        frames.noteUnreadable()
        Terminal.note("\(frames.count) \(name) of \(frames.width) x \(frames.height)")
        return frames
    }

    private func makeTrainer(_ frames: FrameSet, validation: FrameSet?) throws -> any MethodTrainer {
        if resume {
            guard FileManager.default.fileExists(atPath: checkpoint) else {
                throw ValidationError("no checkpoint at \(checkpoint); train without --resume")
            }
            return try resumed(frames, validation: validation)
        }
        switch profile {
        case .realtime: return try realtimeTrainer(frames, validation: validation)
        case .reference:
            return try Trainers.start(
                referenceTraining(frames.count),
                frames: frames,
                validation: validation
            )
        }
    }

    /// Goes on from the checkpoint; refuses what would silently be another training.
    private func resumed(_ frames: FrameSet, validation: FrameSet?) throws -> any MethodTrainer {
        let trainer = try Trainers.resume(checkpoint, steps: steps, frames: frames, validation: validation)
        let trained = trainer.model(command: "").description.training.seed
        guard seed ?? trained == trained else {
            throw ValidationError(
                "\(checkpoint) was begun with --seed \(trained); leave --seed out, or start again"
            )
        }
        guard trainer.step <= trainer.steps else {
            throw ValidationError(
                "\(checkpoint) is at step \(trainer.step) already, beyond --steps \(trainer.steps); give more steps"
            )
        }
        return trainer
    }

    /// The model that is gone on from.
    private func base() throws -> Model? { try from.map { try Model.read(path: $0).0 } }

    private func realtimeTrainer(_ frames: FrameSet, validation: FrameSet?) throws -> Trainer {
        var options = Trainer.Options()
        if let batch { options.batch = batch }
        options.seed = seed ?? 1
        if let model = try base() {
            options.steps = steps ?? Trainer.fineTuningSteps
            options.learningRate = learningRate ?? Trainer.fineTuningRate
            return try Trainer(
                from: model,
                path: from ?? "",
                options: options,
                frames: frames,
                validation: validation
            )
        }
        guard let division = PatchPhases(patch: patch ?? 64, count: phases),
            let diffusion = PatchedDiffusion(
                timestep: timestep ?? 100,
                noise: noise ?? .simplex,
                noiseSeed: seed ?? 1,
                phases: division
            )
        else { throw ValidationError("--timestep is 0 to 999, --phases 2 or 4, --patch above 0") }
        if let steps { options.steps = steps }
        if let learningRate { options.learningRate = learningRate }
        if let architecture = realtime.architecture { options.architecture = architecture }
        return try Trainer(options: options, frames: frames, validation: validation, diffusion: diffusion)
    }

    private func referenceTraining(_ frames: Int) throws -> ReferenceTraining {
        var settings = reference.settings(of: method, noiseSeed: seed ?? 1)
        if let timestep { settings.timestep = timestep }
        if let noise { settings.noise = noise }
        if let patch { settings.patch = patch }
        let trained = validation.isEmpty ? max(frames - frames / 10, 1) : frames
        var options = ReferenceTraining(
            method: method,
            settings: settings,
            frames: trained,
            steps: steps,
            epochs: reference.epochs ?? ReferenceTraining.epochs,
            batch: batch ?? 8
        )
        options.seed = seed ?? 1
        options.residual = residual
        if let learningRate { options.learningRate = learningRate }
        if let fault = options.fault { throw ValidationError(fault) }
        return options
    }

    /// Losses first, then what counts: whether normal frames and faults are told apart better.
    private func sayWhetherItHelped(
        _ model: Model,
        instead base: Model,
        on frames: FrameSet,
        _ history: [LossRecord]
    ) throws {
        let losses = history.compactMap(\.validationLoss)
        if let before = losses.first, let after = losses.last {
            Terminal.note("held-out frames: loss \(before.digits(4)) before, \(after.digits(4)) after")
        }
        let held =
            validation.isEmpty
            ? nil : try FrameSet(paths: try FramePaths.normal(validation), choice: planes.choice)
        let (rest, apart) = held.map { (frames, $0) } ?? frames.split(every: 10)
        let comparison = FineTuningComparison(
            before: base,
            after: model,
            rest: rest,
            held: apart,
            seed: seed ?? 1,
            report: Terminal.reporter()
        )
        do {
            for line in try comparison.table(names: (from ?? "", out)) { Terminal.note(line) }
        } catch let error as DataError {
            Terminal.note("whether faults are found better was not tried: \(error)")
        }
    }

    private func train(_ trainer: any MethodTrainer, _ interruption: Interruption) throws {
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

    private func finish(
        _ trainer: any MethodTrainer,
        frames: FrameSet,
        _ interruption: Interruption
    ) throws {
        let program = URL(filePath: CommandLine.arguments[0]).lastPathComponent
        let command = ([program] + CommandLine.arguments.dropFirst()).joined(separator: " ")
        var model = trainer.model(command: command)
        model.description.training.files = frames.files
        let base = try base()
        if model.description.realtime != nil { model.description.residual = residual }
        if let base {
            // Causes are fitted to faults, and there are none among these frames.
            (model.description.causes, model.description.residual) = (
                base.description.causes, base.description.residual
            )
        }
        (model.description.training.frameHeight, model.description.training.frameWidth) = (
            frames.height, frames.width
        )
        if model.description.realtime != nil || calibrate {
            // Stopped while it is calibrated, the training is not lost.
            try model.write(path: out)
            interruption.release()
            var options = Calibrator.Options()
            if model.description.realtime == nil {
                options.maskWindow = 1
            } else {
                options.classifier = base?.description.classifier
            }
            let calibration = ModelCalibration(
                path: out,
                frames: frames,
                options: options,
                report: Terminal.reporter()
            )
            _ = try calibration.store(in: &model)
            model.description.coverage = ModelDescription.Coverage(of: frames)
        }
        try model.write(path: out)
        try? FileManager.default.removeItem(atPath: checkpoint)
        let curve = LossCurve(trainer.history)
        try curve.write(csv: out + ".loss.csv")
        try curve.write(svg: out + ".loss.svg")
        Terminal.note("wrote \(out), \(out).loss.csv and \(out).loss.svg")
        if let base { try sayWhetherItHelped(model, instead: base, on: frames, trainer.history) }
        if model.description.calibration == nil { try sayWhatCalibratingTakes(model, frames) }
    }

    private func sayWhatCalibratingTakes(_ model: Model, _ frames: FrameSet) throws {
        let passes = try FrameScorer(model: model, path: out).passesPerFrame(
            height: frames.height,
            width: frames.width
        )
        let overlap = model.description.reference?.overlap ?? 0
        Terminal.note(
            "not calibrated: a frame takes \(passes) passes. `score` gives no verdicts before `autoqc calibrate \(out) --normal FRAMES`"
                + (overlap > 0.5 ? "; --overlap 0.5 makes it faster" : "")
                + ". `score --maps` and `benchmark` need no thresholds"
        )
    }
}
