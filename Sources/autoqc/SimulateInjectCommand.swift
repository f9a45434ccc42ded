import ArgumentParser
import Detection
import Foundation
import Plate
import Randomness
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

    /// Blur of a normal frame in pixels: a slack of some 10 um in focus.
    private static let blur: Float = 0.6

    func run() throws {
        let sources = try [train, test].map { try FrameSet(paths: FramePaths.normal($0)) }
        guard let normalisation = Normalisation(sample: try sources[0].sample()) else {
            throw DataError("all frames are blank: every pixel has the same grey value")
        }
        let augmentation = Augmentation(normalisation: normalisation, blur: Self.blur)
        let set = try LabelledSet(options.composition(training: copies), seed: options.seed) {
            isTraining,
            seed in
            try Self.changedFrame(of: sources[isTraining ? 0 : 1], by: augmentation, seed: seed)
        }
        try options.write(set)
    }

    private static func changedFrame(
        of set: FrameSet,
        by augmentation: Augmentation,
        seed: UInt64
    ) throws -> Frame {
        var random = SplitMix64(state: seed)
        let frame = try set.frame(Int.random(in: 0..<set.count, using: &random))
        let other = try set.frame(Int.random(in: 0..<set.count, using: &random))
        var changed = augmentation.applied(to: frame, lending: other, using: &random)
        if random.nextUniform() < 0.5 { changed.pixels.reverse() }
        for index in changed.pixels.indices {
            changed.pixels[index] = min(max(changed.pixels[index], 0), 255).rounded()
        }
        return changed
    }
}
