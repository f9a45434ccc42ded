package import Foundation
package import Ledger
package import Reporting
import Tables

/// Frames of an output folder for a calibration: those that reviewers decided on, and unflagged ones.
package struct ReviewedFrames: Sendable {
    /// Paths of normal frames: false alarms, and a sample of unflagged frames.
    package let normal: [String]
    /// Path of a CSV list of labelled frames for the greedy search; `nil` where fewer than `fewestFaults` were confirmed.
    package let labelled: String?
    /// Frames whose fault reviewers confirmed.
    package let trueFaults: Int
    /// Flagged frames that reviewers called normal.
    package let falseAlarms: Int
    /// Frames of the sample that were not flagged.
    package let unflagged: Int

    /// True faults that the greedy search needs.
    ///
    /// With fewer, a single marked fault would decide the threshold.
    package static let fewestFaults = 10
    /// Unflagged frames, at most.
    private static let sample = 400

    /// Reads the decisions of an output folder; the list of labelled frames is written into `folder`.
    ///
    /// `nil` where there is no decision yet.
    package init?(ledger: FrameLedger, tree: OutputTree, writingTo folder: URL) throws {
        let table = try LabelTable(ledger: ledger, tree: tree)
        guard !table.rows.isEmpty else { return nil }
        let rows = table.rows.filter { FileManager.default.fileExists(atPath: $0.image) }
        let others = try ledger.normalFiles(atMost: Self.sample).map(\.absolutePath)
            .filter { FileManager.default.fileExists(atPath: $0) }
        trueFaults = rows.count { $0.isFaulty }
        falseAlarms = rows.count { !$0.isFaulty }
        unflagged = others.count
        normal = others + rows.filter { !$0.isFaulty }.map(\.image)
        guard trueFaults >= Self.fewestFaults else {
            labelled = nil
            return
        }
        // The search weighs faults against normal frames: the unflagged ones count as much as the false alarms.
        let normalLines = others.map { CSV.row([$0, "", "0"] + Array(repeating: "", count: 8)) }
        let lines = [LabelTable.header] + rows.map(LabelTable.csv) + normalLines
        let list = folder.appending(path: "decisions.csv")
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: list)
        labelled = list.path
    }
}
