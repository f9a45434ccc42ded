import Foundation
package import Plate

/// Reads what is appended to the alarm logs of an output folder, of runs and wells that come later, too.
package struct AlarmFollower {
    /// One line as it stands in its log, and what it says.
    package struct Line: Sendable, Equatable {
        /// The line, without its newline.
        package let text: String
        /// What it says.
        package let alarm: Alarm
    }

    private let tree: OutputTree
    private let run: String?
    private let wells: Set<Well>
    private var offsets: [String: UInt64] = [:]

    /// Follows one run or all, some wells or all (none given).
    package init(tree: OutputTree, run: String? = nil, wells: Set<Well> = []) {
        self.tree = tree
        self.run = run
        self.wells = wells
    }

    /// The lines that came since the last call, in the order of their time; all that are there at the first.
    ///
    /// A line that is not finished yet is left for the next call; a log that became shorter is read anew. What is no alarm is
    /// passed over.
    package mutating func next() throws(OutputError) -> [Line] {
        var lines: [Line] = []
        for run in try runs() {
            let folder = "\(tree.root)/\(run)/alarms"
            for name in try Durable.entries(of: folder) where name.hasSuffix(".log") {
                guard wells.isEmpty || Well(name.dropLast(4)).map(wells.contains) == true else { continue }
                lines += try read("\(folder)/\(name)")
            }
        }
        return lines.sorted { $0.alarm.time < $1.alarm.time }
    }

    private func runs() throws(OutputError) -> [String] {
        if let run { return [SafeName.of(run)] }
        return try Durable.entries(of: tree.root).filter {
            !$0.hasPrefix(".") && !$0.hasPrefix("ledger.sqlite") && $0 != "canary.log"
        }
    }

    private mutating func read(_ path: String) throws(OutputError) -> [Line] {
        let handle = try Durable.Handle(path, flags: O_RDONLY | O_NOFOLLOW)
        let size = try handle.size()
        let start = offsets[path].map(Int.init).flatMap { $0 <= size ? $0 : nil } ?? 0
        let bytes = try handle.read(at: start, count: size - start)
        let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        offsets[path] = UInt64(start + whole)
        return bytes.prefix(whole).split(separator: UInt8(ascii: "\n")).compactMap { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            return AlarmLine.parse(text).map { Line(text: text, alarm: $0) }
        }
    }
}
