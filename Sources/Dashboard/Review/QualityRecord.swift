package import Foundation
package import Ledger
import Plate
package import Reporting
import Rules

/// What a run came to, as JSON for programs: `docs/quality-record.schema.json` describes every field.
///
/// Metrics have fixed names and units, in the spirit of mzQC, so that records of many runs make a table.
package struct QualityRecord: Sendable {
    /// A figure with its fixed name.
    fileprivate struct Metric: Encodable {
        let name: String
        let value: Double
        let unit: String
    }

    fileprivate struct Document: Encodable {
        struct Software: Encodable {
            let name: String
            let version: String
        }
        struct Session: Encodable {
            let model: String
            let precision: String
            let started: String
            let ended: String?
        }
        struct Well: Encodable {
            let well: String
            let field: Int?
            let channel: String?
            let plane: Int?
            let frames: Int
            let flagged: Int
            let unreadable: Int
            let firstFrame: Int?
            let lastFrame: Int?
            let lastGoodFrame: Int?
            let firstFlaggedFrame: Int?
            let worstSeverity: Double?
            let transitions: [Answer.Transition]
            let decision: String?
        }

        let formatVersion = "1.0"
        let created: String
        let software: Software
        let run: String
        let firstOutcome: String
        let plateRows: Int
        let plateColumns: Int
        let sessions: [Session]
        let metrics: [Metric]
        let wells: [Well]
    }

    private let document: Document

    /// Looks at a run; `nil` where the ledger has no frame of it.
    package init?(run: String, ledger: FrameLedger, tree: OutputTree, version: String) throws {
        guard
            let review = try RunReview(
                run,
                ledger: ledger,
                decisions: DecisionLog(tree).decisions(run: run),
                format: .auto
            )
        else { return nil }
        document = Document(
            created: Timestamp.now.iso8601,
            software: Document.Software(name: "autoqc", version: version),
            run: run,
            firstOutcome: review.first.iso8601,
            plateRows: review.size.rows,
            plateColumns: review.size.columns,
            sessions: review.sessions.map {
                Document.Session(
                    model: $0.model,
                    precision: $0.precision,
                    started: $0.started.iso8601,
                    ended: $0.ended?.iso8601
                )
            },
            metrics: Self.metrics(review),
            wells: review.wells.map { Document.Well($0) }
        )
    }

    private static func metrics(_ review: RunReview) -> [Metric] {
        let share = review.judged > 0 ? Double(review.flagged) / Double(review.judged) : 0
        let decided = { (opinion: Opinion) in Double(review.reviews.frames(opinion)) }
        return [
            Metric(name: "wells", value: Double(review.wellCount), unit: "wells"),
            Metric(name: "frames_judged", value: Double(review.judged), unit: "frames"),
            Metric(name: "frames_flagged", value: Double(review.flagged), unit: "frames"),
            Metric(name: "frames_unreadable", value: Double(review.unreadable), unit: "frames"),
            Metric(name: "flagged_share", value: share, unit: "ratio"),
            Metric(
                name: "wells_turned_faulty",
                value: Double(review.turnedFaulty),
                unit: "wells"
            ),
            Metric(name: "reviewed_faults", value: decided(.fault), unit: "frames"),
            Metric(name: "reviewed_false_alarms", value: decided(.falseAlarm), unit: "frames"),
        ]
    }

    /// The document, with names in snake case and sorted, and a newline.
    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(document) + Data("\n".utf8)
    }
}

extension QualityRecord.Document.Well {
    fileprivate init(_ review: RunReview.WellReview) {
        well = review.well.description
        (field, channel, plane) = (review.view.field, review.view.channel, review.view.plane)
        frames = review.frames
        flagged = review.flagged
        unreadable = review.unreadable
        firstFrame = review.range?.firstFrame
        lastFrame = review.range?.lastFrame
        lastGoodFrame = review.range?.lastGood
        firstFlaggedFrame = review.range?.firstBad
        worstSeverity = review.worst
        transitions = review.transitions
        decision = review.opinion?.rawValue
    }
}
