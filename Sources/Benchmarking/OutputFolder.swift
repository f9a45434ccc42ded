import Detection
import Foundation

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

    /// A finished fold as it is kept.
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
        try Self.encoded(KeptFold(key: key, result: result)).write(to: path, options: .atomic)
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: root.appending(path: name), options: .atomic)
    }

    func writeJSON(_ value: some Encodable, to name: String) throws {
        try Self.encoded(value).write(to: root.appending(path: name), options: .atomic)
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
