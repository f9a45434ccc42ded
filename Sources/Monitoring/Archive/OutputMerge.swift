import Files
import Foundation
package import Ledger
import Plate
package import Reporting

/// Joins output folders of the parts of an archive to one, as if one run had judged all of it.
///
/// Rows, masks, score maps, alarm and quarantine logs are taken. A part that was joined before adds nothing.
package struct OutputMerge {
    /// A part that does not fit to what is there.
    package struct Conflict: Error, CustomStringConvertible {
        /// The part, and what speaks against it, a line each.
        package let description: String

        fileprivate static func check(_ part: OutputTree, _ reasons: [String]) throws(Conflict) {
            guard !reasons.isEmpty else { return }
            throw Conflict(description: reasons.map { "\(part.root): \($0)" }.joined(separator: "\n"))
        }
    }

    private let tree: OutputTree
    private let lock: OutputLock
    private let ledger: FrameLedger
    private var folders: Set<String>

    /// Opens or makes the folder; throws where another process writes it.
    package init(into tree: OutputTree) throws {
        self.tree = tree
        try tree.probe()
        lock = try OutputLock(tree: tree)
        try tree.prepare()
        ledger = try FrameLedger(path: tree.ledger)
        folders = Set(try ledger.sessions().last?.folders ?? [])
    }

    /// Takes a part, and returns how many frames came.
    ///
    /// Throws `Conflict` where it does not fit, with nothing of it taken.
    package mutating func add(_ part: OutputTree) throws -> Int {
        let other = try FrameLedger(reading: part.ledger)
        let last = try other.sessions().last
        try other.close()
        try Conflict.check(part, ledger.conflicts(with: part.ledger))
        let files = try Files(of: part, into: tree)
        try Conflict.check(part, files.conflicts)
        // The rows last, as in a batch of the daemon: what a crash leaves is taken by the next try.
        try files.take()
        let count = try ledger.merge(part.ledger)
        guard let last, !folders.isSuperset(of: last.folders) else { return count }
        folders.formUnion(last.folders)
        // So that audits know what was looked through.
        let session = DaemonSession(
            started: last.started,
            ended: last.ended ?? last.started,
            model: last.model,
            modelPath: last.modelPath,
            precision: last.precision,
            pattern: last.pattern,
            folders: folders.sorted()
        )
        try ledger.begin(session)
        return count
    }

    /// Brings everything to the disk, and gives the ledger to whoever writes tables of it.
    package func finish<Value>(_ body: (FrameLedger) throws -> Value) throws -> Value {
        let value = try body(ledger)
        try ledger.close()
        return value
    }

    /// The files of a part that are to be taken.
    private struct Files {
        private var copied: [(from: String, to: String)] = []
        private var joined: [(from: String, to: String)] = []
        /// Files that are there with another content.
        private(set) var conflicts: [String] = []

        init(of part: OutputTree, into tree: OutputTree) throws {
            for run in try Durable.entries(of: part.root) where !OutputTree.isOwn(run) {
                let (old, new) = ("\(part.root)/\(run)", "\(tree.root)/\(run)")
                for folder in ["masks", "scores"] {
                    // What a kill left half-written is no file yet.
                    for name in try Durable.entries(of: "\(old)/\(folder)")
                    where !name.hasSuffix(Durable.temporarySuffix) {
                        copy("\(old)/\(folder)/\(name)", to: "\(new)/\(folder)/\(name)")
                    }
                }
                for name in try Durable.entries(of: "\(old)/alarms") {
                    joined.append(("\(old)/alarms/\(name)", "\(new)/alarms/\(name)"))
                }
                joined.append(("\(old)/quarantine.log", "\(new)/quarantine.log"))
            }
        }

        private mutating func copy(_ from: String, to: String) {
            let manager = FileManager.default
            if !manager.fileExists(atPath: to) {
                copied.append((from, to))
            } else if !manager.contentsEqual(atPath: from, andPath: to) {
                conflicts.append("\(printableName(from)) is another file than \(printableName(to))")
            }
        }

        func take() throws {
            for (from, to) in copied {
                try Durable.makeFolders(Durable.parent(to))
                try Durable.replace(to, with: Self.bytes(from))
            }
            for (from, to) in joined where FileManager.default.fileExists(atPath: from) {
                let there = FileManager.default.fileExists(atPath: to) ? try Self.lines(to) : []
                let known = Set(there)
                let lines = there + (try Self.lines(from).filter { !known.contains($0) })
                guard lines.count > there.count else { continue }
                try Durable.makeFolders(Durable.parent(to))
                try Durable.replace(
                    to,
                    with: lines.joined(separator: [UInt8(ascii: "\n")]) + [UInt8(ascii: "\n")]
                )
            }
        }

        private static func bytes(_ path: String) throws -> [UInt8] {
            let handle = try Durable.Handle(path, flags: O_RDONLY | O_NOFOLLOW)
            return try handle.read(at: 0, count: handle.size())
        }

        /// A last line without its end is of a write that was cut off.
        private static func lines(_ path: String) throws -> [ArraySlice<UInt8>] {
            let bytes = try bytes(path)
            return bytes[..<(bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]
                .split(separator: UInt8(ascii: "\n"))
        }
    }
}
