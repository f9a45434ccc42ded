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
            and less blur than a fault has. Faults are the simulated microscope's, put on a changed copy.
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

    func run() throws {
        let sources = try [train, test].map { try FrameSet(paths: FramePaths.normal($0)) }
        let frames = try InjectedFrames(training: sources[0], test: sources[1])
        try options.write(frames.set(options.composition(training: copies), seed: options.seed))
    }
}
