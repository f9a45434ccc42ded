import Files
package import Foundation
package import Ledger
import Plate
package import Reporting
import Tables

/// Frames of an output folder for a calibration: those that reviewers decided on, and unflagged ones.
package struct ReviewedFrames: Sendable {
    /// Paths of normal frames: false alarms, and a sample of unflagged frames.
    package let normal: [String]
    /// Path of a CSV list of labelled frames for the greedy search; `nil` where fewer than `fewestFaults` were confirmed.
    package let labelled: String?
    /// Paths of frames whose fault reviewers confirmed.
    package let trueFaults: [String]
    /// Of these, the ones that were flagged.
    package let found: [String]
    /// Paths of flagged frames that reviewers called normal.
    package let falseAlarms: [String]
    /// Frames that reviewers disagree on, which are no examples.
    package let disputed: Int
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
        guard !table.rows.isEmpty || table.disputed > 0 else { return nil }
        let rows = table.rows.filter { FileManager.default.fileExists(atPath: $0.image) }
        let others = try ledger.normalFiles(atMost: Self.sample).map(\.absolutePath)
            .filter { FileManager.default.fileExists(atPath: $0) }
        trueFaults = rows.filter(\.isFaulty).map(\.image)
        found = rows.filter { $0.isFaulty && $0.wasFlagged }.map(\.image)
        falseAlarms = rows.filter { !$0.isFaulty }.map(\.image)
        (unflagged, disputed) = (others.count, table.disputed)
        normal = others + falseAlarms
        guard trueFaults.count >= Self.fewestFaults else {
            labelled = nil
            return
        }
        // The search weighs faults against normal frames: the unflagged ones count as much as the false alarms.
        let normalLines = others.map { CSV.row([$0, "", "0"] + Array(repeating: "", count: 11)) }
        let lines = [LabelTable.header] + rows.map(LabelTable.csv) + normalLines
        let list = folder.appending(path: "decisions.csv")
        try OutputFile.write(text: lines.joined(separator: "\n") + "\n", to: list.path)
        labelled = list.path
    }
}
