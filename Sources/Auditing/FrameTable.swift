package import Plate
import Reporting
package import Tables

/// The ledger's rows as a table.
///
/// Columns: `file`, `page`, `run`, `well`, `field`, `channel`, `plane`, `frame`, `state`, `reason`, `score_max`, `score_mean`, `score_patch`, `score`,
/// `severity`, `threshold`, `term` (of a severity above the threshold, the term that adds most), `terms` (all of them; in CSV
/// `name=value;name=value`, in JSON an object), `verdict`, `suspect` (1 for a frame that passes with a severity above the lower limit,
/// else 0), `area` (share of the frame), `bbox_x`, `bbox_y`, `bbox_width`,
/// `bbox_height` (pixels), `cause`, `confidence` (0 to 1), `mask` (relative to the run's folder of the output), `well_faulty`,
/// `tier`, `precision`, `change` (distance from the well's frames before it), `arrival` (what is new in one place), `evidence` (for a fault, gathered over the
/// well's frames), `model`, `completed`, `judged` (UTC).
package enum FrameTable {
    /// The columns.
    package static let table = Table<FrameRecord>([
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
        ("score_max", { ($0.judgement?.scores?.maximum).map { .number($0) } }),
        ("score_mean", { ($0.judgement?.scores?.mean).map { .number($0) } }),
        ("score_patch", { ($0.judgement?.scores?.patch).map { .number($0) } }),
        ("score", { ($0.judgement?.score).map { .number($0) } }),
        ("severity", { ($0.judgement?.severity).map { .number($0) } }),
        ("threshold", { ($0.judgement?.threshold).map { .number($0) } }),
        ("term", { ($0.judgement?.term).map { .text($0) } }),
        (
            "terms",
            {
                ($0.judgement?.terms).flatMap { terms in
                    terms.isEmpty ? nil : .figures(terms.map { ($0.term, $0.value) })
                }
            }
        ),
        ("verdict", { ($0.judgement?.verdict).map { .text($0.rawValue) } }),
        ("suspect", { ($0.judgement?.isSuspect).map { .integer($0 ? 1 : 0) } }),
        ("area", { ($0.judgement?.area).map { .number($0) } }),
        ("bbox_x", { ($0.judgement?.boundingBox?.x).map { .integer($0) } }),
        ("bbox_y", { ($0.judgement?.boundingBox?.y).map { .integer($0) } }),
        ("bbox_width", { ($0.judgement?.boundingBox?.width).map { .integer($0) } }),
        ("bbox_height", { ($0.judgement?.boundingBox?.height).map { .integer($0) } }),
        ("cause", { ($0.judgement?.causeName).map { .text($0) } }),
        ("confidence", { ($0.judgement?.confidence).map { .number($0) } }),
        ("mask", { ($0.judgement?.maskPath).map { .text($0) } }),
        ("well_faulty", { ($0.judgement?.wellIsFaulty).map { .flag($0) } }),
        ("tier", { ($0.judgement?.tier).map { .text($0.rawValue) } }),
        ("precision", { ($0.judgement?.precision).map { .text($0) } }),
        ("change", { ($0.judgement?.change).map { .number($0) } }),
        ("arrival", { ($0.judgement?.arrival).map { .number($0) } }),
        ("evidence", { ($0.judgement?.evidence).map { .number($0) } }),
        ("model", { $0.model.map { .text($0) } }),
        ("completed", { $0.completed.map { .text($0.iso8601) } }),
        ("judged", { .text($0.judged.iso8601) }),
    ])
}
