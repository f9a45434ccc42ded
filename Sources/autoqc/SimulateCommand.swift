import ArgumentParser
import Simulation
import Training

/// `autoqc simulate`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "A microscope made of software: labelled sets, live plates, and the check of a daemon against them.",
        subcommands: [
            SimulateSetCommand.self, SimulateInjectCommand.self, SimulatePlateCommand.self,
            SimulateCheckCommand.self,
            SimulateSheetCommand.self,
        ]
    )
}

/// `autoqc simulate set`.
struct SimulateSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Write a labelled set: frames, masks and lists in the published layout.",
        discussion: """
            DIR gets train/, test/, masks/ and splits/ with normal_train.csv, normal_val.csv and, per fold, \
            test_val_foldN.csv (a share of the test frames, for thresholds) and test_test_foldN.csv (the others). Paths \
            are relative to DIR. The same seed gives the same files on every machine.
            """
    )

    @OptionGroup var options: SetOptions
    @Option(help: "Normal frames to train on; every tenth goes to normal_val.csv.")
    var train = SetComposition().training
    @Option(help: "Columns of a frame: the same scale on another field.")
    var width = Microscope.Settings().width
    @Option(help: "Rows of a frame.")
    var height = Microscope.Settings().height
    @Option(help: "Quality of the JPEG texture that real frames carry, 50 to 100; 0 for none.")
    var jpeg: Float = Microscope.Settings().jpegQuality ?? 0

    func validate() throws {
        let sides = Microscope.smallestSide...8192
        guard sides.contains(width), sides.contains(height) else {
            throw ValidationError("--width and --height are \(sides.lowerBound) to \(sides.upperBound)")
        }
        guard jpeg == 0 || (50...100).contains(jpeg) else {
            throw ValidationError("--jpeg is 50 to 100, or 0")
        }
    }

    func run() throws {
        let microscope = Microscope(
            Microscope.Settings(
                seed: options.seed,
                height: height,
                width: width,
                jpegQuality: jpeg == 0 ? nil : jpeg
            )
        )
        let set = try LabelledSet(options.composition(training: train), seed: options.seed) { item in
            microscope.labelledFrame(
                of: item.well,
                plate: item.plate,
                at: item.index,
                striking: item.striking,
                fault: item.fault
            )
        }
        try options.write(set)
    }
}
