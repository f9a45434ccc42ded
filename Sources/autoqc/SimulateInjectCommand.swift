import ArgumentParser
import Detection
import Foundation
import Plate
import Randomness
import Simulation
import Synchronization
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

    @Option(help: "A new or empty folder for the set.")
    var out: String
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
    @Option(help: "Normal test frames.")
    var normal = SetComposition().normal
    @Option(help: "Faulty test frames, of each class in turn.")
    var faulty = SetComposition().faulty
    @Option(help: "Folds of the test frames.")
    var folds = SetComposition().folds
    @Option(help: "Everything random follows from here.")
    var seed: UInt64 = 1
    @Option(help: "Columns of the part of a frame that is taken (default: all).")
    var width: Int?
    @Option(help: "Rows of the part of a frame that is taken (default: all).")
    var height: Int?

    /// Blur of a normal frame in pixels: a slack of some 10 um in focus.
    private static let blur: Float = 0.6

    func validate() throws {
        let sides = Microscope.smallestSide...8192
        guard [width, height].allSatisfy({ $0.map(sides.contains) ?? true }) else {
            throw ValidationError("--width and --height are \(sides.lowerBound) to \(sides.upperBound)")
        }
    }

    func run() throws {
        let sources = try [train, test].map { try source($0) }
        guard let normalisation = Normalisation(sample: try sources[0].sample()) else {
            throw DataError("all frames are blank: every pixel has the same grey value")
        }
        let augmentation = Augmentation(normalisation: normalisation, blur: Self.blur)
        let set = try LabelledSet(
            SetComposition(training: copies, normal: normal, faulty: faulty, folds: folds),
            seed: seed
        ) { isTraining, seed in
            try changedFrame(of: sources[isTraining ? 0 : 1], by: augmentation, seed: seed)
        }
        let terminal = Mutex(Terminal())
        try set.write(to: out) { done, count in
            terminal.withLock { $0.progress("frame \(done)/\(count)", isLast: done == count) }
        }
    }

    private func source(_ paths: [String]) throws -> FrameSet {
        let set = try FrameSet(paths: FramePaths.normal(paths))
        guard (width ?? 0) <= set.width, (height ?? 0) <= set.height else {
            throw DataError(
                "the frames are \(set.width) x \(set.height); --width and --height cannot ask for more"
            )
        }
        return set
    }

    private func changedFrame(
        of set: FrameSet,
        by augmentation: Augmentation,
        seed: UInt64
    ) throws -> Frame {
        var random = SplitMix64(state: seed)
        let frame = part(of: try set.frame(Int.random(in: 0..<set.count, using: &random)), using: &random)
        let other = part(of: try set.frame(Int.random(in: 0..<set.count, using: &random)), using: &random)
        var changed = augmentation.applied(to: frame, lending: other, using: &random)
        if random.nextUniform() < 0.5 { changed.pixels.reverse() }
        for index in changed.pixels.indices {
            changed.pixels[index] = min(max(changed.pixels[index], 0), 255).rounded()
        }
        return changed
    }

    /// A whole frame draws nothing: sets without --width and --height stay as they were.
    private func part(of frame: Frame, using random: inout SplitMix64) -> Frame {
        let (rows, columns) = (height ?? frame.height, width ?? frame.width)
        guard (rows, columns) != (frame.height, frame.width) else { return frame }
        return frame.window(
            row: Int.random(in: 0...frame.height - rows, using: &random),
            column: Int.random(in: 0...frame.width - columns, using: &random),
            height: rows,
            width: columns
        )
    }
}
