import Detection
import Foundation
import Plate
import Training

/// A frame of a fold that was looked at: it can be read, and what is known of its truth is of use.
struct BenchmarkFrame: Sendable {
    let labelled: FramePaths.Labelled
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

    /// What is wrong, one sentence for each file whatever the number of rows that name it.
    private(set) var problems: [String] = []
    private var known: [Files: BenchmarkFrame?] = [:]

    /// The frames of a list that can be read.
    mutating func frames(_ rows: [FramePaths.Labelled]) -> [BenchmarkFrame] {
        rows.compactMap { row in
            let files = Files(image: row.image, mask: row.mask, isFaulty: row.isFaulty)
            if known[files] == nil { known[files] = .some(look(at: row)) }
            guard let frame = known[files] ?? nil else { return nil }
            // The class of fault is the row's own.
            return BenchmarkFrame(
                labelled: row,
                digest: frame.digest,
                maskDigest: frame.maskDigest,
                height: frame.height,
                width: frame.width,
                hasTruth: frame.hasTruth
            )
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
