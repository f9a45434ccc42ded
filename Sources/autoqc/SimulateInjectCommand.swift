import ArgumentParser
import Simulation
import Training

/// `autoqc simulate inject`.
struct SimulateInjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject",
        abstract: "Write a labelled set of real normal frames, with simulated faults put on some.",
        discussion: """
            DIR gets the same files as with `simulate set`. Frames for training are changed copies of --train, those for \
            tests of --test, so that no frame is in both: mirrored, denser, darker or brighter, with uneven light, grain \
            and less blur than a fault has. Faults are the simulated microscope's, put on a changed copy. With --width and \
            --height each copy is a part of a frame, at a place of its own, so that cells keep their size.
            """
    )

    @OptionGroup var options: SetOptions
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: "Normal frames to train on: files, folders, globs or CSV lists."
    )
    var train: [String]
    @Option(name: .long, parsing: .upToNextOption, help: "Other normal frames, to test with.")
    var test: [String]
    @Option(help: "Changed copies of the frames to train on; every tenth goes to normal_val.csv.")
    var copies = 100
    @Option(help: "Columns of the part of a frame that is taken (default: all).")
    var width: Int?
    @Option(help: "Rows of the part of a frame that is taken (default: all).")
    var height: Int?

    func validate() throws {
        let sides = Microscope.smallestSide...8192
        guard [width, height].allSatisfy({ $0.map(sides.contains) ?? true }) else {
            throw ValidationError("--width and --height are \(sides.lowerBound) to \(sides.upperBound)")
        }
    }

    func run() throws {
        let sources = try [train, test].map { try FrameSet(paths: FramePaths.normal($0)) }
        let frames = try InjectedFrames(
            training: sources[0],
            test: sources[1],
            part: (rows: height, columns: width)
        )
        try options.write(frames.set(options.composition(training: copies), seed: options.seed))
    }
}
