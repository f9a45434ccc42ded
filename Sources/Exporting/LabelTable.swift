import Files
package import Foundation
package import Ledger
package import Plate
package import Reporting
import Tables

/// What reviewers decided, as a list of labelled frames in the published layout.
///
/// Columns: `img_path`, `seg_path` (the daemon's mask of a true fault), `label` (1 faulty, 0 normal), `fault` (its cause where
/// one is known), and for people `run`, `well`, `field`, `channel`, `plane`, `frame`, `decision`, `reviewer`, `note`, `decided`. Paths are absolute.
/// `unsure` is no label. A decision on a well holds for each flagged frame of it that has none of its own. Pages after the
/// first of a movie cannot be named by a path, and are left out.
package struct LabelTable: Sendable {
    /// One labelled frame.
    package struct Row: Sendable, Equatable {
        /// Path of the frame's file.
        package let image: String
        /// Path of its mask, for a true fault that has one.
        package let mask: String?
        /// Whether it is faulty.
        package let isFaulty: Bool
        /// Probable cause, for a true fault that has one.
        package let cause: String?
        /// The frame.
        package let frame: FrameID
        /// The decision.
        package let decision: Decision
    }

    /// The labelled frames, in the order of wells and time.
    package let rows: [Row]
    /// Frames with a decision that are pages of a movie.
    package let pagesLeftOut: Int

    /// The first line of the list.
    package static let header =
        "img_path,seg_path,label,fault,run,well,field,channel,plane,frame,decision,reviewer,note,decided"

    private static let runColumn = 4

    /// Reads the decisions of all runs, or of one.
    package init(ledger: FrameLedger, tree: OutputTree, run: String? = nil) throws {
        let decisions = try DecisionLog(tree).decisions(run: run)
        var rows: [Row] = []
        var pages = 0
        for decision in decisions where decision.kind == .fault || decision.kind == .falseAlarm {
            for record in try Self.records(of: decision, among: decisions, in: ledger) {
                guard record.pages == 1 else {
                    pages += 1
                    continue
                }
                if let row = Row(record, decision, tree) { rows.append(row) }
            }
        }
        self.rows = rows.sorted { ($0.frame, ExactPath($0.image)) < ($1.frame, ExactPath($1.image)) }
        pagesLeftOut = pages
    }

    private static func records(
        of decision: Decision,
        among decisions: [Decision],
        in ledger: FrameLedger
    ) throws(LedgerError) -> [FrameRecord] {
        if let id = decision.id {
            let judged = try ledger.records(of: id).filter { $0.state == .judged }
            return judged.last { decision.file.isEmpty || decision.file == $0.source.key }.map { [$0] } ?? []
        }
        let selection = FrameLedger.Selection(flaggedOnly: true)
        let own = Dictionary(grouping: decisions.filter { $0.frame != nil }, by: \.id)
        return try ledger.records(of: decision.well, run: decision.run, selection).filter { record in
            guard let frame = record.frame else { return false }
            return own[frame]?.contains { $0.file.isEmpty || $0.file == record.source.key } != true
        }
    }

    /// A row as a line of the list, without its newline.
    package static func csv(_ row: Row) -> String {
        let decision = row.decision
        let fields =
            [
                row.image, row.mask ?? "", row.isFaulty ? "1" : "0", row.cause ?? "", row.frame.run,
                row.frame.well.description,
            ] + row.frame.view.fields + [
                "\(row.frame.index)", decision.kind.rawValue, decision.reviewer,
                decision.note,
                decision.decided.iso8601,
            ]
        // On one line each: people look at such lists with tools that go by lines.
        return CSV.row(fields.map { String($0.map { $0.isNewline ? " " : $0 }) }, texts: [runColumn])
    }
}

extension LabelTable.Row {
    fileprivate init?(_ record: FrameRecord, _ decision: Decision, _ tree: OutputTree) {
        guard let frame = record.frame, let judgement = record.judgement else { return nil }
        isFaulty = decision.kind == .fault
        image = record.source.absolutePath
        let path = judgement.maskPath.map { "\(tree.folder(run: frame.run))/\($0)" }
        mask = isFaulty ? path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil } : nil
        cause = isFaulty && judgement.cause.cause != .unknown ? judgement.causeName : nil
        self.frame = frame
        self.decision = decision
    }
}

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
        let normalLines = others.map { CSV.row([$0, "", "0"] + Array(repeating: "", count: 11)) }
        let lines = [LabelTable.header] + rows.map(LabelTable.csv) + normalLines
        let list = folder.appending(path: "decisions.csv")
        try OutputFile.write(text: lines.joined(separator: "\n") + "\n", to: list.path)
        labelled = list.path
    }
}
