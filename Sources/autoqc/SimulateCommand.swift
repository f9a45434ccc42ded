import ArgumentParser
import Files
import Foundation
import Frames
import Simulation
import Synchronization
import Tables
import Training

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "A simulated microscope: labelled sets, live plates, and a check of the daemon.",
        subcommands: [
            SimulateSetCommand.self, SimulateInjectCommand.self, SimulatePlateCommand.self,
            SimulateCheckCommand.self,
            SimulateSheetCommand.self,
        ]
    )
}

struct SimulateSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Write a labelled set of simulated frames: frames, masks and lists.",
        discussion: """
            DIR gets train/, test/, masks/ and splits/ with normal_train.csv, normal_val.csv and, for each \
            fold N, test_val_foldN.csv (for thresholds) and test_test_foldN.csv (the others). Paths are \
            relative to DIR. The same seed gives the same files on every machine. With --published the \
            published system can read the set, with the lists of f-AnoGAN for each fold.

            Examples:
              autoqc simulate set --out set
              autoqc simulate set --out small --normal 8 --faulty 8 --train 8 --folds 2 \\
                  --width 320 --height 256
            """
    )

    @OptionGroup var options: SetOptions
    @Option(
        help: ArgumentHelp("Normal frames to train on; every tenth goes to normal_val.csv.", valueName: "N"),
        transform: NumberOption.within(NumberOption.frames)
    )
    var train = SetComposition().training
    @Option(help: ArgumentHelp("Columns of a frame: the same scale on another field.", valueName: "PIXELS"))
    var width = Microscope.Settings().width
    @Option(help: ArgumentHelp("Rows of a frame.", valueName: "PIXELS"))
    var height = Microscope.Settings().height
    @Option(
        help: ArgumentHelp(
            "Quality of the JPEG texture that real frames carry, 50 to 100; 0 for none.",
            valueName: "QUALITY"
        ),
        transform: NumberOption.within(0...100)
    )
    var jpeg: Float = Microscope.Settings().jpegQuality ?? 0
    @Flag(
        help:
            "Write what the published system reads: frames without a pixel size, which it would misread, and lists with its columns only."
    )
    var published = false

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
        try options.write(set, published: published)
    }
}

/// Options of commands that write a labelled set.
struct SetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A new or empty folder for the set.", valueName: "DIR"),
        completion: .directory
    )
    var out: String
    @Option(
        help: ArgumentHelp("Normal test frames.", valueName: "N"),
        transform: NumberOption.within(NumberOption.frames)
    )
    var normal = SetComposition().normal
    @Option(
        help: ArgumentHelp("Faulty test frames, of each class in turn.", valueName: "N"),
        transform: NumberOption.within(NumberOption.frames)
    )
    var faulty = SetComposition().faulty
    @Option(
        help: ArgumentHelp("Folds of the test frames.", valueName: "N"),
        transform: NumberOption.within(1...1000)
    )
    var folds = SetComposition().folds
    @Option(help: ArgumentHelp("Seed of everything random.", valueName: "N"))
    var seed: UInt64 = 1

    /// The set's parts, with `training` frames to train on.
    func composition(training: Int) -> SetComposition {
        SetComposition(training: training, normal: normal, faulty: faulty, folds: folds)
    }

    /// Makes the frames of a set, with progress and speed on standard error.
    func write(_ set: LabelledSet, published: Bool = false) throws {
        let terminal = Mutex(Terminal())
        let start = ContinuousClock.now
        let pixelSize = published ? nil : Microscope.filedPixelSize
        try set.write(to: out, pixelSize: pixelSize, published: published) { done, count in
            terminal.withLock { $0.progress("frame \(done)/\(count)", isLast: done == count) }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        Terminal.note(
            "\(set.count) frames in \(Terminal.duration(seconds)) (\((Double(set.count) / seconds).digits(1))/s)"
        )
    }
}

struct SimulateInjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject",
        abstract: "Write a labelled set of real normal frames with simulated faults on some.",
        discussion: """
            DIR gets the same files as with `simulate set`. Frames for training are copies of --train and \
            frames for tests are copies of --test, so no frame is in both. --changes says how copies differ \
            from their frames: `wide` for mirrored copies with other light, grain and focus, as between \
            plates; `slight` for small changes, as between wells; `none` for no change. With --width and \
            --height each copy is a part of a frame at a random place, so cells keep their size.

            Examples:
              autoqc simulate inject --out set --train frames --test others
              autoqc simulate inject --out set2 --train frames --test others --faulty 20 \\
                  --folds 2 --changes slight
            """
    )

    @OptionGroup var options: SetOptions
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Normal frames to train on: files, folders, globs or CSV lists.",
            valueName: "PATH"
        ),
        completion: .file()
    )
    var train: [String]
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp("Other normal frames, to test with.", valueName: "PATH"),
        completion: .file()
    )
    var test: [String]
    @Option(
        help: ArgumentHelp(
            "Changed copies of the frames to train on; every tenth goes to normal_val.csv.",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.frames)
    )
    var copies = 100
    @Option(
        help: ArgumentHelp("How copies differ from their frames: none, slight or wide.", valueName: "NAME")
    )
    var changes = InjectedFrames.Changes.wide
    @Option(
        help: ArgumentHelp(
            "Columns of the part of a frame that is taken (default: all).",
            valueName: "PIXELS"
        )
    )
    var width: Int?
    @Option(
        help: ArgumentHelp("Rows of the part of a frame that is taken (default: all).", valueName: "PIXELS")
    )
    var height: Int?

    func validate() throws {
        let sides = Microscope.smallestSide...8192
        guard [width, height].allSatisfy({ $0.map(sides.contains) ?? true }) else {
            throw ValidationError("--width and --height are \(sides.lowerBound) to \(sides.upperBound)")
        }
    }

    func run() throws {
        let sources = try [train, test].map {
            try FrameSet(paths: FramePaths.normal($0, note: Terminal.note))
        }
        let frames = try InjectedFrames(
            training: sources[0],
            test: sources[1],
            part: (rows: height, columns: width),
            changes: changes
        )
        try options.write(frames.set(options.composition(training: copies), seed: options.seed))
    }
}

struct SimulateSheetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sheet",
        abstract: "Put real and simulated frames side by side: pictures and statistics.",
        discussion: """
            Writes simulation-contact-sheet.png, shuffled, and simulation-statistics.md with its key and the table. The \
            real frames are those of AUTOQC_DATA.

            Examples:
              autoqc simulate sheet --data /data/real --out sheet
              autoqc simulate sheet --data /data/real --out sheet2 --seed 2
            """
    )

    @Option(
        help: ArgumentHelp(
            "Folder with complexeye/ and hsc_brightfield/ (default: AUTOQC_DATA).",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var data: String?
    @Option(help: ArgumentHelp("Folder for the two files.", valueName: "DIR"), completion: .directory)
    var out: String
    @Option(help: ArgumentHelp("Seed of everything random.", valueName: "N"))
    var seed: UInt64 = 1

    func run() throws {
        guard let folder = data ?? ProcessInfo.processInfo.environment["AUTOQC_DATA"] else {
            throw ValidationError("name the folder of real frames: --data, or AUTOQC_DATA in the environment")
        }
        let comparison = try Comparison(data: folder, seed: seed)
        try OutputFolderPath.make(out)
        Terminal.note("drawing the sheet")
        let (image, key) = comparison.sheet()
        try image.write(to: "\(out)/simulation-contact-sheet.png")
        Terminal.note("measuring frames")
        let text = """
            # Simulated and real frames in numbers

            For everybody who wants to know how close simulated frames are to real ones. The table has grey values, noise, \
            spectrum and cells of real frames, and percentiles of them over twelve typical simulated wells. The real frames are \
            two of a ComplexEye, brightfield frames of blood stem cells, and a movie of neutrophils (250 x 190). \
            `autoqc simulate sheet --out docs --seed \(seed)` wrote this page.

            \(comparison.table())

            ## Key to the contact sheet

            \(key.map { "- \($0)" }.joined(separator: "\n"))

            """
        try OutputFile.write(text: text, to: "\(out)/simulation-statistics.md")
    }
}

extension InjectedFrames.Changes: ExpressibleByArgument {}
