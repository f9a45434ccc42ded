import Dispatch
package import Faults
import Files
import Foundation
package import Frames
package import Plate
import Randomness
import Synchronization
import Tables

/// A set of frames with known faults in the published layout: `train/`, `test/`, `masks/` and lists in `splits/`.
package struct LabelledSet: Sendable {
    private let composition: SetComposition
    private let items: [SetItem]
    private let make: @Sendable (SetItem) throws -> LabelledFrame

    /// Plans a set, the same for the same seed; throws if there is no such composition.
    ///
    /// `make` gives the frame of an item with its mask; it is called from several threads.
    package init(
        _ composition: SetComposition,
        seed: UInt64,
        make: @escaping @Sendable (SetItem) throws -> LabelledFrame
    ) throws(DataError) {
        if let problem = composition.problem { throw DataError(problem) }
        self.composition = composition
        items = SetItem.all(composition, seed: seed)
        self.make = make
    }

    /// Frames that the set will have.
    package var count: Int { items.count }

    /// Makes the frames, on all cores, and then the lists.
    ///
    /// `pixelSize`, in um, goes into the files' metadata. A `published` set has what the published system reads: lists with its three
    /// columns, and for f-AnoGAN the training lists again under the name of each fold. Throws if the folder has anything in it already or cannot be
    /// written. The same plan gives the same bytes.
    package func write(
        to folder: String,
        pixelSize: PixelSize? = nil,
        published: Bool = false,
        progress: @Sendable (_ done: Int, _ count: Int) -> Void = { _, _ in }
    ) throws(DataError) {
        try Self.prepare(folder)
        let state = Mutex<(done: Int, failure: DataError?)>((0, nil))
        DispatchQueue.concurrentPerform(iterations: items.count) { index in
            guard state.withLock({ $0.failure == nil }) else { return }
            do throws(DataError) {
                try write(items[index], to: folder, pixelSize)
                state.withLock { state in
                    state.done += 1
                    progress(state.done, items.count)
                }
            } catch { state.withLock { $0.failure = error } }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
        for (name, rows) in SetLists.all(items, folds: composition.folds, published: published) {
            try Self.write(rows, to: "\(folder)/splits/\(name)")
        }
    }

    private static func prepare(_ folder: String) throws(DataError) {
        let files = FileManager.default
        if let found = try? files.contentsOfDirectory(atPath: folder), !found.isEmpty {
            throw DataError(
                "\(folder): has \(found.count) entries already; name a new or an empty folder for the set"
            )
        }
        do {
            for name in ["train", "test", "masks", "splits"] {
                try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
        } catch {
            throw DataError("\(folder): cannot be made (\(error.localizedDescription)); check the path")
        }
    }

    private func write(_ item: SetItem, to folder: String, _ pixelSize: PixelSize?) throws(DataError) {
        do {
            let made = try make(item)
            try TIFFWriter.write(made.frame, to: "\(folder)/\(item.path)", pixelSize: pixelSize)
            if let maskPath = item.maskPath {
                try TIFFWriter.write(made.mask, to: "\(folder)/\(maskPath)", pixelSize: pixelSize)
            }
        } catch { throw DataError("\(error)") }
    }

    private static func write(_ rows: [[String]], to path: String) throws(DataError) {
        do { try OutputFile.write(text: CSV.text(rows), to: path) } catch { throw DataError("\(error)") }
    }
}

/// How many frames of what kind a labelled set has.
package struct SetComposition: Sendable, Equatable {
    /// Normal frames to train on; every tenth is set apart for validation.
    package var training: Int
    /// Normal test frames.
    package var normal: Int
    /// Faulty test frames.
    package var faulty: Int
    /// Folds that the test frames are divided into.
    package var folds: Int

    /// The published test set's composition by default.
    package init(training: Int = 300, normal: Int = 100, faulty: Int = 48, folds: Int = 5) {
        (self.training, self.normal, self.faulty, self.folds) = (training, normal, faulty, folds)
    }

    /// A sentence that says what is wrong; `nil` for nothing.
    var problem: String? {
        if min(training, normal, faulty) < 0 || max(training, normal, faulty) > 100_000 {
            return "a set has 0 to 100000 frames of a kind"
        }
        if training + normal + faulty == 0 { return "a set of no frames cannot be written; ask for some" }
        if training == 1 { return "a single training frame leaves none for validation; ask for two or more" }
        if folds < 2 || folds > 100 { return "\(folds) folds are not possible; 2 to 100 are" }
        return nil
    }
}

/// One frame of a labelled set, before it is made.
package struct SetItem: Sendable {
    /// Number of the plate from 1, which is also the run's name.
    package let plate: Int
    /// The well; no two frames of a set are of one well of one plate.
    package let well: Well
    /// Position of the frame in time.
    package let index: Int
    /// A number below `strikingKinds` for a frame that shows something striking but normal; `nil` for a typical one.
    package let striking: Int?
    /// The fault that it shows; `nil` for a normal frame.
    package let fault: Fault?
    /// Whether it is a training frame; else it is a test frame.
    package let isTraining: Bool

    /// Kinds of striking normal frames.
    package static let strikingKinds = 5

    /// Path in the set's folder, for example `test/51_B1_f100.tiff`, with the well as the published names have it.
    var path: String { "\(isTraining ? "train" : "test")/\(name)" }

    var maskPath: String? { fault.map { _ in "masks/\(name)" } }

    private var name: String {
        let letters = well.description.prefix { $0.isLetter }
        return "\(plate < 10 ? "0" : "")\(plate)_\(letters)\(well.column)_f\(index).tiff"
    }

    /// Wells of each plate of a set: the first 4 rows and 16 columns.
    private static let wells: [Well] = (0..<64).compactMap { Well(row: $0 / 16, column: $0 % 16 + 1) }
    /// Number of the first plate; training plates come before those of test frames.
    private static let firstPlate = 1

    /// All frames of a set: one of each well, so that no cell is in two; test wells are on later plates.
    static func all(_ composition: SetComposition, seed: UInt64) -> [SetItem] {
        var random = SplitMix64(seed: seed, 0x5E7)
        let count = composition.training + composition.normal + composition.faulty
        let firstTest = (composition.training + wells.count - 1) / wells.count * wells.count
        return (0..<count).map { number in
            let isTraining = number < composition.training
            let position = isTraining ? number : firstTest + number - composition.training
            let order = number - composition.training - composition.normal
            // Four of ten normal frames have something striking that is no fault; of the faulty ones, two.
            let isStriking = (order < 0 ? number * 4 : number * 2) % 10 < (order < 0 ? 4 : 2)
            let striking = isStriking ? random.drawCount(0...strikingKinds - 1) : nil
            let index = random.drawCount(0...240)
            let fault =
                order < 0
                ? nil : drawFault(order, of: composition.faulty, onset: index, using: &random)
            return SetItem(
                plate: firstPlate + position / wells.count,
                well: wells[position % wells.count],
                index: index,
                striking: striking,
                fault: fault,
                isTraining: isTraining
            )
        }
    }

    /// Classes follow one another, and so do the forms of each; strengths cover 0.15 to 1 evenly in each class.
    private static func drawFault(_ order: Int, of count: Int, onset: Int, using random: inout SplitMix64)
        -> Fault
    {
        let kinds = FaultKind.allCases
        let forms = kinds[order % kinds.count].forms
        let round = order / kinds.count
        let rounds = max((count + kinds.count - 1) / kinds.count, 1)
        // The golden ratio's multiples spread evenly and do not keep step with the forms.
        let place = Float(round) * 0.618_034
        let strength = 0.15 + 0.85 * (place - place.rounded(.down))
        let spread = 0.5 / Float(rounds) * (random.nextUniform() - 0.5)
        return Fault(
            form: forms[round % forms.count],
            strength: min(max(strength + spread, 0.1), 1),
            onset: onset,
            seed: random.next()
        )
    }
}

/// The lists of a labelled set: CSV with the header `img_path,seg_path,label,fault,strength`; published ones have the first
/// three.
///
/// Paths are relative to the set's folder; label 1 is faulty; the last three are empty, or 0, for normal frames.
enum SetLists {
    private static let header = ["img_path", "seg_path", "label", "fault", "strength"]

    private static let publishedColumns = 3

    static func all(_ items: [SetItem], folds: Int, published: Bool) -> [(name: String, rows: [[String]])] {
        var lists = all(items, folds: folds)
        guard published else { return lists }
        for name in ["normal_train", "normal_val"] {
            guard let list = lists.first(where: { $0.name == "\(name).csv" }) else { continue }
            lists += (0..<folds).map { ("\(name)_fold\($0).csv", list.rows) }
        }
        return lists.map { ($0.name, $0.rows.map { Array($0.prefix(publishedColumns)) }) }
    }

    private static func all(_ items: [SetItem], folds: Int) -> [(name: String, rows: [[String]])] {
        let training = items.filter(\.isTraining)
        let isApart = { (number: Int) in
            number % 10 == 9 || training.count < 10 && number == training.count - 1
        }
        let numbered = Array(training.enumerated())
        var lists = [
            ("normal_train.csv", rows(numbered.filter { !isApart($0.offset) }.map(\.element))),
            ("normal_val.csv", rows(numbered.filter { isApart($0.offset) }.map(\.element))),
        ]
        let test = items.filter { !$0.isTraining }
        let assigned = Self.folds(of: test, count: folds)
        for fold in 0..<folds {
            let validation = zip(test, assigned).filter { $0.1 == fold }.map(\.0)
            let rest = zip(test, assigned).filter { $0.1 != fold }.map(\.0)
            lists.append(("test_val_fold\(fold).csv", rows(validation)))
            lists.append(("test_test_fold\(fold).csv", rows(rest)))
        }
        return lists
    }

    /// A fold for each frame: the frames of each class are dealt to the folds in order, and the next class goes on where
    /// the last one ended.
    private static func folds(of items: [SetItem], count: Int) -> [Int] {
        var result = [Int](repeating: 0, count: items.count)
        var next = 0
        for kind in [nil] + FaultKind.allCases.map(Optional.some) {
            for (index, item) in items.enumerated() where item.fault?.kind == kind {
                result[index] = next % count
                next += 1
            }
        }
        return result
    }

    private static func rows(_ items: [SetItem]) -> [[String]] {
        [header]
            + items.map { item in
                guard let fault = item.fault, let mask = item.maskPath else {
                    return [item.path, "", "0", "", "0"]
                }
                let thousandths = Int((fault.strength * 1000).rounded())
                let digits = "\(1000 + thousandths % 1000)".dropFirst()
                return [item.path, mask, "1", fault.kind.rawValue, "\(thousandths / 1000).\(digits)"]
            }
    }
}
