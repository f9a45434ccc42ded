import Foundation
package import Ledger
package import Plate
package import Reporting
import Rules
import Tables

/// What reviewers decided, as a list of labelled frames in the published layout.
///
/// Columns: `img_path`, `seg_path` (the daemon's mask of a true fault), `label` (1 faulty, 0 normal), `fault` (its cause where
/// one is known), and for people `run`, `well`, `field`, `channel`, `plane`, `frame`, `decision`, `reviewer`, `note`, `decided`; of
/// several people, the names and notes of all and the last time. Paths are absolute. What nobody is sure of or people disagree on
/// (`Reviews`) is no label. Pages of a movie cannot be named by a path, and are left out.
package struct LabelTable: Sendable {
    /// One labelled frame.
    package struct Row: Sendable, Equatable {
        /// Path of the frame's file.
        package let image: String
        /// Path of its mask, for a true fault that has one.
        package let mask: String?
        /// Whether it is faulty.
        package let isFaulty: Bool
        /// Whether it was flagged.
        package let wasFlagged: Bool
        /// Probable cause, for a true fault that has one.
        package let cause: String?
        /// The frame.
        package let frame: FrameID
        /// The decisions on it, which all say the same.
        package let decisions: [Decision]
    }

    /// The labelled frames, in the order of wells and time.
    package let rows: [Row]
    /// Frames with a decision that are pages of a movie.
    package let pagesLeftOut: Int
    /// Frames that people disagree on.
    package let disputed: Int

    /// The first line of the list.
    package static let header =
        "img_path,seg_path,label,fault,run,well,field,channel,plane,frame,decision,reviewer,note,decided"

    private static let runColumn = 4

    /// Reads the decisions of all runs, or of one.
    package init(ledger: FrameLedger, tree: OutputTree, run: String? = nil) throws {
        let reviews = Reviews(try DecisionLog(tree).decisions(run: run))
        var rows: [Row] = []
        var (pages, disputed) = (0, 0)
        for record in try Self.records(of: reviews.decisions, in: ledger) {
            guard let frame = record.frame, let judgement = record.judgement else { continue }
            let isFlagged = judgement.verdict == .faulty
            let decisions = reviews.on(frame, file: record.source.key, isFlagged: isFlagged)
            switch Opinion(of: decisions.compactMap(\.opinion)) {
            case .disputed: disputed += 1
            case .unsure, nil: break
            case .fault, .falseAlarm:
                guard record.pages == 1 else {
                    pages += 1
                    continue
                }
                rows.append(Row(record, frame, judgement, decisions, tree))
            }
        }
        self.rows = rows.sorted { ($0.frame, ExactPath($0.image)) < ($1.frame, ExactPath($1.image)) }
        (pagesLeftOut, self.disputed) = (pages, disputed)
    }

    /// The frames that decisions hold for, each once.
    private static func records(of decisions: [Decision], in ledger: FrameLedger) throws(LedgerError)
        -> [FrameRecord]
    {
        var found: [FrameSource.Place: FrameRecord] = [:]
        for decision in decisions {
            let flagged = FrameLedger.Selection(flaggedOnly: true)
            let records =
                if let id = decision.id {
                    // Of several files that say this frame, the one decided on; of none that is named, the last.
                    try ledger.records(of: id).filter {
                        $0.state == .judged && (decision.file.isEmpty || decision.file == $0.source.key)
                    }.suffix(1)
                } else {
                    try ledger.records(of: decision.well, run: decision.run, flagged)[...]
                }
            for record in records { found[record.source.place] = record }
        }
        return Array(found.values)
    }

    /// A row as a line of the list, without its newline.
    package static func csv(_ row: Row) -> String {
        func all(_ words: (Decision) -> String) -> String {
            row.decisions.map(words).filter { !$0.isEmpty }.joined(separator: "; ")
        }
        let opinion: Opinion = row.isFaulty ? .fault : .falseAlarm
        let fields =
            [
                row.image, row.mask ?? "", row.isFaulty ? "1" : "0", row.cause ?? "", row.frame.run,
                row.frame.well.description,
            ] + row.frame.view.fields + [
                "\(row.frame.index)", opinion.rawValue, all(\.reviewer), all(\.note),
                row.decisions.map(\.decided).max()?.iso8601 ?? "",
            ]
        // On one line each: people look at such lists with tools that go by lines.
        return CSV.row(fields.map { String($0.map { $0.isNewline ? " " : $0 }) }, texts: [runColumn])
    }
}

extension LabelTable.Row {
    fileprivate init(
        _ record: FrameRecord,
        _ frame: FrameID,
        _ judgement: Judgement,
        _ decisions: [Decision],
        _ tree: OutputTree
    ) {
        (isFaulty, wasFlagged) = (decisions.first?.kind == .fault, judgement.verdict == .faulty)
        image = record.source.absolutePath
        let path = judgement.maskPath.map { "\(tree.folder(run: frame.run))/\($0)" }
        mask = isFaulty ? path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil } : nil
        cause = isFaulty && judgement.cause.cause != .unknown ? judgement.causeName : nil
        (self.frame, self.decisions) = (frame, decisions)
    }
}
