package import Files
import Foundation
package import Ledger
package import Plate
package import Reporting
package import Tables

/// Frames and what became of them, as a table: the columns of `autoqc export` and of `autoqc score`.
///
/// Paths are absolute. Columns: `file`, `page`, `run`, `well`, `field`, `channel`, `plane`, `frame`, `state`, `reason`, `score_max`,
/// `score_mean`, `score_patch`, `score`, `severity`, `threshold`, `term` (of a severity above the threshold, the term that adds
/// most), `terms` (all of them, to four digits as the ledger keeps them; in CSV `name=value;name=value`, in JSON an object), `verdict` (`normal`, `faulty`, `unreadable`),
/// `suspect` (whether a frame passes with a severity above the lower limit), `area` (share of the frame), `bbox_x`, `bbox_y`,
/// `bbox_width`, `bbox_height` (pixels), `cause`, `confidence` (0 to 1), `mask`, `well_faulty`, `tier`, `precision`, `change` (distance
/// from the well's frames before it), `arrival` (what is new in one place), `evidence` (for a fault, gathered over the well's frames), `model`, `completed`, `judged`
/// (UTC).
package enum FrameTable {
    /// A frame and what became of it.
    package struct Row: Sendable {
        fileprivate let source: FrameSource
        fileprivate let frame: FrameID?
        fileprivate let state: FrameRecord.State
        fileprivate var reason: String?
        fileprivate var scores: ImageScores?
        /// Their standard deviations over noise seeds.
        fileprivate var spread: ImageScores?
        fileprivate var judgement: Judgement?
        fileprivate var mask: String?
        fileprivate var model: String?
        fileprivate var completed: Timestamp?
        fileprivate var judged: Timestamp?

        /// A row of the ledger, whose mask lies in this output folder.
        package init(_ record: FrameRecord, in tree: OutputTree) {
            self.init(record) { tree.folder(run: $0) }
        }

        fileprivate init(_ record: FrameRecord, folder: (_ run: String) -> String) {
            (source, frame, state, reason) = (record.source, record.frame, record.state, record.reason)
            (judgement, scores) = (record.judgement, record.judgement?.scores)
            mask = judgement?.maskPath.flatMap { path in frame.map { "\(folder($0.run))/\(path)" } }
            (model, completed, judged) = (record.model, record.completed, record.judged)
        }

        /// A frame that was judged now, with its mask where one was written.
        package init(
            _ source: FrameSource,
            _ frame: FrameID?,
            _ judgement: Judgement,
            mask: String?,
            model: String
        ) {
            (self.source, self.frame, state) = (source, frame, .judged)
            (self.judgement, scores) = (judgement, judgement.scores)
            (self.mask, self.model) = (mask, model)
        }

        /// A frame that was given scores and no verdict.
        package init(
            _ source: FrameSource,
            _ frame: FrameID?,
            _ scores: ImageScores,
            spread: ImageScores?,
            model: String
        ) {
            (self.source, self.frame, state) = (source, frame, .judged)
            (self.scores, self.spread, self.model) = (scores, spread, model)
        }

        /// A frame that could not be read.
        package init(_ source: FrameSource, _ frame: FrameID?, unreadable reason: String) {
            (self.source, self.frame, state) = (source, frame, .quarantined)
            self.reason = reason
        }

        fileprivate var verdict: Verdict? { state == .quarantined ? .unreadable : judgement?.verdict }
    }

    /// The columns.
    package static let table = Table<Row>([
        ("file", { .text($0.source.absolutePath) }),
        ("page", { .integer($0.source.page) }),
        ("run", { ($0.frame?.run).map { .text($0) } }),
        ("well", { ($0.frame?.well).map { .text($0.description) } }),
        ("field", { ($0.frame?.view.field).map { .integer($0) } }),
        ("channel", { ($0.frame?.view.channel).map { .text($0) } }),
        ("plane", { ($0.frame?.view.plane).map { .integer($0) } }),
        ("frame", { ($0.frame?.index).map { .integer($0) } }),
        ("state", { .text($0.state.rawValue) }),
        ("reason", { $0.reason.map { .text($0) } }),
        ("score_max", { ($0.scores?.maximum).map { .number($0) } }),
        ("score_mean", { ($0.scores?.mean).map { .number($0) } }),
        ("score_patch", { ($0.scores?.patch).map { .number($0) } }),
        ("score", { ($0.judgement?.score).map { .number($0) } }),
        ("severity", { ($0.judgement?.severity).map { .number($0) } }),
        ("threshold", { ($0.judgement?.threshold).map { .number($0) } }),
        ("term", { ($0.judgement?.term).map { .text($0) } }),
        (
            "terms",
            {
                ($0.judgement?.terms).flatMap { terms in
                    terms.isEmpty ? nil : .figures(terms.map { ($0.term, $0.value.roundedToFourDigits) })
                }
            }
        ),
        ("verdict", { $0.verdict.map { .text($0.rawValue) } }),
        ("suspect", { ($0.judgement?.isSuspect).map { .flag($0) } }),
        ("area", { ($0.judgement?.area).map { .number($0) } }),
        ("bbox_x", { ($0.judgement?.boundingBox?.x).map { .integer($0) } }),
        ("bbox_y", { ($0.judgement?.boundingBox?.y).map { .integer($0) } }),
        ("bbox_width", { ($0.judgement?.boundingBox?.width).map { .integer($0) } }),
        ("bbox_height", { ($0.judgement?.boundingBox?.height).map { .integer($0) } }),
        ("cause", { ($0.judgement?.causeName).map { .text($0) } }),
        ("confidence", { ($0.judgement?.confidence).map { .number($0) } }),
        ("mask", { $0.mask.map { .text($0) } }),
        ("well_faulty", { ($0.judgement?.wellIsFaulty).map { .flag($0) } }),
        ("tier", { ($0.judgement?.tier).map { .text($0.rawValue) } }),
        ("precision", { ($0.judgement?.precision).map { .text($0) } }),
        ("change", { ($0.judgement?.change).map { .number($0) } }),
        ("arrival", { ($0.judgement?.arrival).map { .number($0) } }),
        ("evidence", { ($0.judgement?.evidence).map { .number($0) } }),
        ("model", { $0.model.map { .text($0) } }),
        ("completed", { $0.completed.map { .text($0.iso8601) } }),
        ("judged", { ($0.judged).map { .text($0.iso8601) } }),
    ])

    /// The columns, and behind them the standard deviations of the scores over noise seeds.
    package static let tableWithSpreads = table.adding([
        ("score_max_spread", { ($0.spread?.maximum).map { .number($0) } }),
        ("score_mean_spread", { ($0.spread?.mean).map { .number($0) } }),
        ("score_patch_spread", { ($0.spread?.patch).map { .number($0) } }),
    ])

    /// The columns of the table that lies in an output folder: without times, which are others at each run.
    private static let inFolder = table.without(["completed", "judged"])

    /// Writes the table of all frames into their output folder, in the order of runs, wells, views and time.
    ///
    /// Masks are named relative to the folder. The same verdicts give the same bytes.
    package static func write(
        _ form: TableForm,
        of ledger: FrameLedger,
        into tree: OutputTree
    ) throws(OutputError) -> Totals {
        var totals = Totals()
        try Durable.replace(tree.frames(ending: form.ending)) { path throws(OutputError) in
            let file = try Durable.Handle(path, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
            do {
                var text = inFolder.header(form).map { $0 + "\n" } ?? ""
                try ledger.forEachInOrder { record in
                    totals.add(record)
                    let row = Row(record) { OutputTree.name(ofRun: $0) }
                    text += try inFolder.line(row, form) + "\n"
                    guard text.utf8.count >= flushed else { return }
                    try file.write(Array(text.utf8))
                    text = ""
                }
                try file.write(Array(text.utf8))
            } catch let error as OutputError {
                throw error
            } catch {
                throw OutputError("write", path, detail: "\(error)")
            }
        }
        return totals
    }

    /// What the rows of a table come to.
    package struct Totals: Sendable, Equatable {
        /// Frames with a verdict.
        package private(set) var judged = 0
        /// Of them, the faulty ones.
        package private(set) var faulty = 0
        /// Frames that could not be read.
        package private(set) var unreadable = 0
        /// Files that are no frames of a well.
        package private(set) var skipped = 0

        fileprivate mutating func add(_ record: FrameRecord) {
            switch record.outcome {
            case .judged(let judgement):
                judged += 1
                if judgement.verdict == .faulty { faulty += 1 }
            case .quarantined: unreadable += 1
            case .skipped: skipped += 1
            }
        }

        /// For people.
        package var words: String {
            "\(judged) frames judged, \(faulty) of them faulty; \(unreadable) unreadable, \(skipped) files skipped"
        }
    }

    private static let flushed = 1 << 20
}
