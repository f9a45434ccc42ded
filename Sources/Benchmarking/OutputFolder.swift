import Detection
import Digests
import Files
import Foundation
import Frames
import Plate
import Verdict

/// The folder that a benchmark writes to.
///
/// ```
/// OUT/results.json results.csv results.md
/// OUT/plots/roc.svg precision-recall.svg METHOD.roc.svg METHOD.precision-recall.svg
/// OUT/panels/FAULT.svg
/// OUT/folds/METHOD/foldN.json      finished folds, with the key they are known by
/// OUT/cache/METHOD-FINGERPRINT/    assessments of frames; may be deleted
/// ```
struct OutputFolder {
    let root: URL

    private struct KeptFold: Codable {
        let key: String
        let result: FoldResult
    }

    init(path: String) throws(BenchmarkError) {
        root = URL(filePath: path, directoryHint: .isDirectory)
        do {
            for name in ["plots", "panels", "folds", "cache"] {
                let folder = root.appending(path: name)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
        } catch {
            throw BenchmarkError("\(path): cannot be made or written to; check the path and its permissions")
        }
    }

    func cache(method: String, fingerprint: String) -> URL {
        let digest = Digest.sha256(Data(fingerprint.utf8)).prefix(12)
        return root.appending(path: "cache/\(Self.fileName(method))-\(digest)")
    }

    /// The method's own folder, whatever its fingerprint.
    func workshop(method: String) throws -> URL {
        let folder = root.appending(path: "cache/\(Self.fileName(method))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    func keptFold(_ number: Int, method: String, key: String) -> FoldResult? {
        guard let data = try? Data(contentsOf: foldPath(number, method: method)),
            let kept = try? JSONDecoder().decode(KeptFold.self, from: data), kept.key == key
        else { return nil }
        return kept.result
    }

    func keep(_ result: FoldResult, method: String, key: String) throws {
        let path = foldPath(result.number, method: method)
        try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try OutputFile.write(Self.encoded(KeptFold(key: key, result: result)), to: path.path)
    }

    func write(_ text: String, to name: String) throws {
        try OutputFile.write(text: text, to: root.appending(path: name).path)
    }

    func writeJSON(_ value: some Encodable, to name: String) throws {
        try OutputFile.write(Self.encoded(value), to: root.appending(path: name).path)
    }

    /// A name that is safe in a path, whatever a list or a user calls a thing.
    static func fileName(_ name: String) -> String {
        let safe = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) ? $0 : "-" }
        return safe.isEmpty ? "-" : String(safe)
    }

    private func foldPath(_ number: Int, method: String) -> URL {
        root.appending(path: "folds/\(Self.fileName(method))/fold\(number).json")
    }

    private static func encoded(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }
}

/// The figures of an assessment that are stored beside its map.
struct AssessmentRecord: Codable, Equatable {
    let maximum: Double
    let mean: Double
    let patch: Double
    let hasMap: Bool
    let seconds: Double

    func score(_ kind: ScoreKind) -> Double {
        kind.value(of: ImageScores(maximum: maximum, mean: mean, patch: patch))
    }
}

/// The assessments of one method, a few files a frame, named by the content of the frame.
///
/// `DIGEST.json` is written last and so vouches for `DIGEST.map.tiff` (32-bit float, Deflate) beside it.
/// Frames that a picture is made of have `DIGEST.input.tiff` and `DIGEST.reconstruction.tiff` too. The
/// folder's name has the method's fingerprint: another model never meets these files. All of it may be
/// deleted and is then computed again.
struct AssessmentStore {
    private let folder: URL

    /// The folder is made if it is not there.
    init(folder: URL) throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// The stored record of a frame; `nil` if there is none or it cannot be read.
    func record(of frame: BenchmarkFrame) -> AssessmentRecord? {
        guard let data = try? Data(contentsOf: path(frame, "json")),
            let record = try? JSONDecoder().decode(AssessmentRecord.self, from: data)
        else { return nil }
        let isWhole = !record.hasMap || FileManager.default.fileExists(atPath: path(frame, "map.tiff").path)
        return isWhole ? record : nil
    }

    /// Keeps an assessment; the pictures' images only if asked for.
    func keep(_ assessment: Assessment, of frame: BenchmarkFrame, seconds: Double, withImages: Bool) throws
        -> AssessmentRecord
    {
        if let map = assessment.map { try write(map.values, of: frame, to: "map.tiff") }
        if withImages {
            if let input = assessment.input { try write(input, of: frame, to: "input.tiff") }
            if let output = assessment.reconstruction {
                try write(output, of: frame, to: "reconstruction.tiff")
            }
        }
        let record = AssessmentRecord(
            maximum: assessment.scores.maximum,
            mean: assessment.scores.mean,
            patch: assessment.scores.patch,
            hasMap: assessment.map != nil,
            seconds: seconds
        )
        try OutputFile.write(JSONEncoder().encode(record), to: path(frame, "json").path)
        return record
    }

    func map(of frame: BenchmarkFrame) throws -> ScoreMap {
        let page = try TIFFReader(path: path(frame, "map.tiff").path).frame(page: 0)
        guard page.height == frame.height, page.width == frame.width else {
            throw BenchmarkError("\(path(frame, "map.tiff").path): not this frame's map; delete the folder")
        }
        return ScoreMap(height: page.height, width: page.width, values: page.pixels)
    }

    /// The frame as the method saw it and its reconstruction, as far as they are kept.
    func images(of frame: BenchmarkFrame) -> (input: Frame?, reconstruction: Frame?) {
        let read = { (ending: String) in
            try? TIFFReader(path: path(frame, ending).path).frame(page: 0)
        }
        return (read("input.tiff"), read("reconstruction.tiff"))
    }

    private func write(_ values: [Float], of frame: BenchmarkFrame, to ending: String) throws {
        let image = Frame(height: frame.height, width: frame.width, pixels: values)
        try TIFFWriter.write(image, to: path(frame, ending).path, type: .float32)
    }

    private func path(_ frame: BenchmarkFrame, _ ending: String) -> URL {
        folder.appending(path: "\(frame.digest).\(ending)")
    }
}
