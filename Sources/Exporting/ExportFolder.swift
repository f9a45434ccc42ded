import Digests
import Files
import Foundation
import Ledger
package import Plate
import Reporting
import Training

/// A folder that an export fills, file by file.
///
/// Each file is whole and on the disk before it has its name. An export that was killed and is started again writes what is missing, and ends
/// with the same bytes. While it is not finished, a hidden file says which export it is and when it began.
package struct ExportFolder: Sendable {
    private static let marker = ".autoqc-export"

    /// The folder.
    package let path: String
    /// When the export began, also where it was killed since; documents carry this time.
    package let begun: Timestamp
    /// Held as long as the export goes on: two of them would write the same files at once.
    private let lock: OutputLock

    /// Begins an export, or goes on with it.
    ///
    /// `parts` say which export it is: its form, its choices and the state of what it reads.
    ///
    /// Throws where the folder holds anything else.
    package init(_ path: String, parts: [String]) throws {
        self.path = path
        let marker = "\(path)/\(Self.marker)"
        let digest = Digest.sha256(Data(parts.joined(separator: "\n").utf8))
        if let text = try? String(contentsOfFile: marker, encoding: .utf8) {
            let lines = text.split(separator: "\n")
            guard lines.count == 2, lines[0] == digest, let begun = Timestamp(iso8601: lines[1]) else {
                throw DataError(
                    "\(path): holds another export that is not finished, or the results have changed since; "
                        + "remove the folder, or name a new one"
                )
            }
            self.begun = begun
            lock = try Self.lock(marker)
            // A file that was being written has another name where a writer chose it.
            for name in try Durable.entries(of: path) where name.hasSuffix(Durable.temporarySuffix) {
                try Durable.remove("\(path)/\(name)")
            }
            return
        }
        let there = try Durable.entries(of: path).filter { !$0.hasSuffix(Durable.temporarySuffix) }
        guard there.isEmpty else { throw DataError("\(path): is not empty; name a new folder") }
        // The marker has the time in milliseconds.
        begun = Timestamp(iso8601: Timestamp.now.iso8601) ?? Timestamp.now
        try Durable.makeFolders(path)
        try Durable.replace(marker, with: "\(digest)\n\(begun.iso8601)\n".utf8)
        lock = try Self.lock(marker)
    }

    private static func lock(_ marker: String) throws(OutputError) -> OutputLock {
        try OutputLock(path: marker, isTaken: "another autoqc writes this export")
    }

    /// Ends the export: what is in the folder is all of it.
    package func finish() throws { try Durable.remove("\(path)/\(Self.marker)") }

    /// Whether a file is there, and so whole.
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    /// Writes a file that is not there yet, and the folders above it.
    func add(_ name: String, _ content: () throws -> some Sequence<UInt8>) throws {
        guard !has(name) else { return }
        let file = "\(path)/\(name)"
        try Durable.makeFolders(Durable.parent(file))
        try Durable.replace(file, with: content())
    }

    /// The same for a file that a library writes to the path that it is given.
    func add(_ name: String, writing: (_ path: String) throws -> Void) throws {
        guard !has(name) else { return }
        let file = "\(path)/\(name)"
        try Durable.makeFolders(Durable.parent(file))
        try writing(file + Durable.temporarySuffix)
        try Durable.rename(file + Durable.temporarySuffix, to: file)
    }

    /// A folder in it, as part of the same export.
    func folder(_ name: String) -> ExportFolder {
        ExportFolder(path: "\(path)/\(name)", begun: begun, lock: lock)
    }

    private init(path: String, begun: Timestamp, lock: OutputLock) {
        (self.path, self.begun, self.lock) = (path, begun, lock)
    }

    /// What tells two states of a run's results apart, or of all runs': the last outcome, and the reviewers' decisions.
    static func state(of run: String?, ledger: FrameLedger, tree: OutputTree) throws -> [String] {
        let runs = try ledger.runs().filter { run == nil || $0.run == run }
        let decisions = FileManager.default.contents(atPath: tree.decisions) ?? Data()
        return ["\(runs.map(\.lastSequence).max() ?? 0)", Digest.sha256(decisions)]
    }
}

/// Documents of exports as JSON: names sorted, so that the same content gives the same bytes.
enum ExportedJSON {
    /// The document, and a newline.
    static func data(_ document: [String: Any]) throws -> Data {
        try JSONSerialization.data(
            withJSONObject: document,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        ) + Data("\n".utf8)
    }
}
