import Foundation
package import Plate
import Reporting
import Tables

/// The ledger's rows as a table, for whatever reads CSV (RFC 4180) or JSON lines.
///
/// Columns: `file`, `page`, `run`, `well`, `field`, `channel`, `plane`, `frame`, `state`, `reason`, `score_max`, `score_mean`, `score_patch`, `score`,
/// `severity`, `threshold`, `term` (of a severity above the threshold, the term that adds most), `terms` (all of them; in CSV
/// `name=value;name=value`, in JSON an object), `verdict`, `suspect` (1 for a frame that passes with a severity above the lower limit,
/// else 0), `area` (share of the frame), `bbox_x`, `bbox_y`, `bbox_width`,
/// `bbox_height` (pixels), `cause`, `confidence` (0 to 1), `mask` (relative to the run's folder of the output), `well_faulty`,
/// `tier`, `precision`, `change` (distance from the well's frames before it), `evidence` (for a fault, gathered over the
/// well's frames), `model`, `completed`, `judged` (UTC). What a row
/// does not have is empty in CSV and missing in JSON.
package enum FrameTable {
    private enum Value: Sendable {
        case text(String)
        case number(Double)
        case integer(Int)
        case flag(Bool)
        case terms([SeverityContribution])
    }

    private static let columns: [(name: String, value: @Sendable (FrameRecord) -> Value?)] = [
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
        ("terms", { ($0.judgement?.terms).flatMap { $0.isEmpty ? nil : .terms($0) } }),
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
        ("evidence", { ($0.judgement?.evidence).map { .number($0) } }),
        ("model", { $0.model.map { .text($0) } }),
        ("completed", { $0.completed.map { .text($0.iso8601) } }),
        ("judged", { .text($0.judged.iso8601) }),
    ]

    /// The first line of the CSV table, without its newline.
    package static var csvHeader: String { CSV.row(columns.map(\.name)) }

    /// A row of the CSV table, without its newline.
    package static func csv(_ record: FrameRecord) -> String {
        CSV.row(
            columns.map { column in
                switch column.value(record) {
                case .text(let text): text
                case .number(let number): "\(number)"
                case .integer(let number): "\(number)"
                case .flag(let flag): "\(flag)"
                case .terms(let terms): terms.map { "\($0.term)=\($0.value)" }.joined(separator: ";")
                case nil: ""
                }
            }
        )
    }

    /// A row as one JSON object on one line, without a newline; a figure that is not finite is left out.
    package static func json(_ record: FrameRecord) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(JSONRow(record: record)), as: UTF8.self)
    }

    private struct JSONRow: Encodable {
        let record: FrameRecord

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }

            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.init(stringValue) }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var row = encoder.container(keyedBy: Key.self)
            for (name, value) in columns {
                switch value(record) {
                case .text(let text): try row.encode(text, forKey: Key(name))
                case .number(let number): if number.isFinite { try row.encode(number, forKey: Key(name)) }
                case .integer(let number): try row.encode(number, forKey: Key(name))
                case .flag(let flag): try row.encode(flag, forKey: Key(name))
                case .terms(let terms):
                    let values = Dictionary(terms.map { ($0.term, $0.value) }) { first, _ in first }
                    try row.encode(values.filter(\.value.isFinite), forKey: Key(name))
                case nil: break
                }
            }
        }
    }
}
