import Exporting
import Foundation
import Ledger
import Reporting
import Tables
import Training

/// What a calibration takes from an output folder: reviewers' decisions, and frames that nobody doubted.
struct ReviewedFrames {
    /// Paths of normal frames: false alarms, and a sample of unflagged ones in their proportion.
    let normal: [String]
    /// CSV list for the greedy search; `nil` where too few true faults were confirmed.
    let labelled: String?

    /// Unflagged frames, at most.
    private static let sample = 400
    /// With fewer, the search would put the threshold just below the one fault that somebody happened to mark.
    private static let fewestFaults = 10

    /// Reads an output folder; the list of labelled frames is written into `folder`.
    init(_ out: String, writingTo folder: URL) throws {
        let tree = OutputTree(root: URL(filePath: out).standardizedFileURL.path)
        guard FileManager.default.fileExists(atPath: tree.ledger) else {
            throw DataError("\(out): has no ledger; name the output folder of `autoqc watch`")
        }
        let ledger = try FrameLedger(reading: tree.ledger)
        let table = try LabelTable(ledger: ledger, tree: tree)
        guard !table.rows.isEmpty else {
            throw DataError(
                "\(out): nobody decided anything yet; mark frames on the live page or in `autoqc view`"
            )
        }
        let rows = table.rows.filter { FileManager.default.fileExists(atPath: $0.image) }
        let unflagged = try ledger.normalFiles(atMost: Self.sample).map { "\($0.root)/\($0.path)" }
            .filter { FileManager.default.fileExists(atPath: $0) }
        normal = unflagged + rows.filter { !$0.isFaulty }.map(\.image)
        Terminal.note(
            "\(out): \(rows.count { $0.isFaulty }) true faults, \(rows.count { !$0.isFaulty }) false alarms, "
                + "\(unflagged.count) unflagged frames"
        )
        let faults = rows.count { $0.isFaulty }
        guard faults >= Self.fewestFaults else {
            if faults > 0 {
                Terminal.note(
                    "\(faults) true faults are too few to find thresholds by, \(Self.fewestFaults) would do: they come from "
                        + "the normal frames alone"
                )
            }
            labelled = nil
            return
        }
        // The search weighs faults against normal frames: the unflagged ones count as much as the false alarms.
        let normalLines = unflagged.map { CSV.row([$0, "", "0"] + Array(repeating: "", count: 8)) }
        let lines = [LabelTable.header] + rows.map(LabelTable.csv) + normalLines
        let list = folder.appending(path: "decisions.csv")
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: list)
        labelled = list.path
    }
}
