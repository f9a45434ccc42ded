import ArgumentParser
import Simulation
import Synchronization
import Tables

/// What commands take that write a labelled set.
struct SetOptions: ParsableArguments {
    @Option(help: "A new or empty folder for the set.")
    var out: String
    @Option(help: "Normal test frames.")
    var normal = SetComposition().normal
    @Option(help: "Faulty test frames, of each class in turn.")
    var faulty = SetComposition().faulty
    @Option(help: "Folds of the test frames.")
    var folds = SetComposition().folds
    @Option(help: "Everything random follows from here.")
    var seed: UInt64 = 1

    /// The set's parts, with so many frames to train on.
    func composition(training: Int) -> SetComposition {
        SetComposition(training: training, normal: normal, faulty: faulty, folds: folds)
    }

    /// Makes the frames of a set, and says how far it is and how fast it was.
    func write(_ set: LabelledSet) throws {
        let terminal = Mutex(Terminal())
        let start = ContinuousClock.now
        try set.write(to: out) { done, count in
            terminal.withLock { $0.progress("frame \(done)/\(count)", isLast: done == count) }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        Terminal.note(
            "\(set.count) frames in \(Terminal.duration(seconds)) (\((Double(set.count) / seconds).digits(1))/s)"
        )
    }
}
