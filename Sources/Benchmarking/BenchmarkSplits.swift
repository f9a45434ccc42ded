import Detection
import Digests
import Foundation
import Plate
package import Training

/// The lists of a benchmark in the published layout.
///
/// A folder with `normal_train.csv`, `normal_val.csv` and, for each fold N, `test_val_foldN.csv` (to find
/// thresholds) and `test_test_foldN.csv` (to take figures). There are as many folds as there are such files. In place of
/// `normal_train.csv` there may be one list for each fold, `normal_train_foldN.csv`, and so for `normal_val.csv`: the first is
/// taken. A frame without a label counts as normal, as the published system takes it.
package struct BenchmarkSplits: Sendable {
    struct Fold: Sendable {
        let number: Int
        /// Frames that thresholds are found on.
        let validation: [FramePaths.Labelled]
        /// Frames that figures are computed on.
        let test: [FramePaths.Labelled]
    }

    /// Normal frames for training.
    package let normalTrain: [FramePaths.Labelled]
    /// Normal frames for choosing the best checkpoint.
    package let normalValidation: [FramePaths.Labelled]
    let folds: [Fold]
    /// What could not be read, one sentence each.
    package let problems: [String]
    /// What was taken for granted, one sentence each.
    package let notes: [String]

    /// Reads all lists; frames are relative to `base`.
    ///
    /// Throws if there is no fold at all.
    package init(folder: String, base: String) throws(BenchmarkError) {
        var reader = Reader(folder: folder, base: base)
        normalTrain = reader.rows(
            "normal_train",
            consequence: "methods that are fitted to it are left out"
        )
        normalValidation = reader.rows("normal_val", consequence: "it is treated as empty")
        let numbers = try reader.foldNumbers()
        folds = numbers.compactMap { number in
            let consequence = "fold \(number) is left out"
            guard let validation = reader.list("test_val_fold\(number).csv", consequence: consequence),
                let test = reader.list("test_test_fold\(number).csv", consequence: consequence)
            else { return nil }
            return Fold(number: number, validation: validation, test: test)
        }
        (problems, notes) = (reader.problems, reader.notes)
        guard !folds.isEmpty else { throw BenchmarkError(problems.joined(separator: "\n")) }
    }

    private struct Reader {
        let folder: String
        let base: String
        private(set) var problems: [String] = []
        private(set) var notes: [String] = []

        func foldNumbers() throws(BenchmarkError) -> [Int] {
            guard FileManager.default.fileExists(atPath: folder) else {
                throw BenchmarkError("\(folder): no such folder; check the path")
            }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let numbers = names.compactMap { name -> Int? in
                guard name.hasSuffix(".csv"), let start = name.firstRange(of: "_fold")?.upperBound,
                    name.hasPrefix("test_val_fold") || name.hasPrefix("test_test_fold")
                else { return nil }
                return Int(name[start...].dropLast(4))
            }
            guard !numbers.isEmpty else {
                throw BenchmarkError(
                    "\(folder): no lists test_val_fold0.csv and test_test_fold0.csv; "
                        + "give the folder of the splits"
                )
            }
            return Set(numbers).sorted()
        }

        /// The normal frames of a list, or of the first fold's where each fold has one.
        mutating func rows(_ name: String, consequence: String) -> [FramePaths.Labelled] {
            var file = "\(name).csv"
            if !FileManager.default.fileExists(atPath: "\(folder)/\(file)"), let first = firstFold(of: name) {
                notes.append("\(folder): \(first) takes the place of \(file), which is not there")
                file = first
            }
            return (list(file, consequence: consequence) ?? []).filter { !$0.isFaulty }
        }

        private func firstFold(of name: String) -> String? {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let folds = names.compactMap { file -> Int? in
                guard file.hasPrefix("\(name)_fold"), file.hasSuffix(".csv") else { return nil }
                return Int(file.dropFirst("\(name)_fold".count).dropLast(4))
            }
            return folds.min().map { "\(name)_fold\($0).csv" }
        }

        mutating func list(_ name: String, consequence: String) -> [FramePaths.Labelled]? {
            do {
                let list = try LabelledList(csv: "\(folder)/\(name)", base: base, needsLabels: false)
                notes += list.notes
                problems += list.problems.map { "\($0); the row is left out" }
                return list.rows
            } catch {
                problems.append("\(error); \(consequence)")
                return nil
            }
        }
    }
}

/// A frame of a fold that was looked at: it can be read, and what is known of its truth is of use.
struct BenchmarkFrame: Sendable {
    var labelled: FramePaths.Labelled
    /// The content of the file.
    let digest: String
    /// The content of the mask, empty without one.
    let maskDigest: String
    let height: Int
    let width: Int
    /// Whether its pixels count: a faulty frame needs a mask for that.
    let hasTruth: Bool

    var isFaulty: Bool { labelled.isFaulty }

    /// Everything that figures depend on.
    var identity: String {
        "\(labelled.image) \(digest) \(maskDigest) \(isFaulty) \(hasTruth) \(labelled.fault ?? "")"
    }

    /// The true mask; throws if the file changed since it was looked at.
    func truth() throws -> Mask {
        guard let mask = try labelled.readMask(height: height, width: width) else {
            throw BenchmarkError("\(labelled.image) has lost its mask during the benchmark; start again")
        }
        return mask
    }
}

/// Looks at every frame of the folds once, before anything is computed.
struct FrameSurvey {
    private struct Files: Hashable {
        let image: String
        let mask: String?
        let isFaulty: Bool
    }

    /// The problems found, one sentence for each file, however many rows name it.
    private(set) var problems: [String] = []
    private var known: [Files: BenchmarkFrame?] = [:]

    /// The frames of a list that can be read.
    mutating func frames(_ rows: [FramePaths.Labelled]) -> [BenchmarkFrame] {
        rows.compactMap { row in
            let files = Files(image: row.image, mask: row.mask, isFaulty: row.isFaulty)
            if known[files] == nil { known[files] = .some(look(at: row)) }
            guard var frame = known[files] ?? nil else { return nil }
            // The class of fault is the row's own.
            frame.labelled = row
            return frame
        }
    }

    private mutating func look(at row: FramePaths.Labelled) -> BenchmarkFrame? {
        do {
            let frame = try row.readFrame()
            let mask = usableMask(of: row, frame)
            return BenchmarkFrame(
                labelled: row,
                digest: Self.digest(row.image),
                maskDigest: row.mask.map { Self.digest($0) } ?? "",
                height: frame.height,
                width: frame.width,
                hasTruth: mask != nil
            )
        } catch {
            problems.append(
                "\(row.place): \(error); the frame is left out, put the file there or remove the row"
            )
            return nil
        }
    }

    private mutating func usableMask(of row: FramePaths.Labelled, _ frame: Frame) -> Mask? {
        let remedy = "the frame counts for the image figures only, correct the mask"
        do {
            let mask = try row.readMask(height: frame.height, width: frame.width)
            if let mask, row.isFaulty, !mask.values.contains(1) {
                problems.append(
                    "\(row.place): \(row.mask ?? "") is empty though the frame is faulty; \(remedy)"
                )
                return nil
            }
            return mask
        } catch {
            problems.append("\(row.place): \(error); \(remedy)")
            return nil
        }
    }

    private static func digest(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(Digest.sha256($0).prefix(24)) } ?? ""
    }
}
