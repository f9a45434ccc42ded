import Acquisition
import Foundation
import Ledger
import Plate
import Reporting
import Rules

/// What `/api/v1` answers, field by field; docs/api.md describes it, and what is there stays.
enum Answer {
    /// An entry of the list of runs.
    struct Run: Codable, Sendable {
        let run: String
        let wells: Int
        let judged: Int
        let flagged: Int
        let unreadable: Int
        let first: String
        let lastSequence: Int64
    }

    /// One well of the map.
    struct Well: Codable, Sendable {
        let well: String
        let row: Int
        let column: Int
        let state: WellState
        let judged: Int
        let flagged: Int
        let unreadable: Int
        let frame: Int
        let severity: Double?
        let threshold: Double?
        let terms: [String: Double]?
        let cause: String?
        let reason: String?
        let completed: String?
        /// When its first outcome was decided.
        let first: String
        /// The worst of its flagged frames.
        let worst: Worst?
        let sequence: Int64
    }

    /// The flagged frame of a well that was farthest above its threshold.
    struct Worst: Codable, Sendable {
        let frame: Int
        let severity: Double?
        let threshold: Double?
        let cause: String?
    }

    /// What faulty wells have in common.
    struct Pattern: Codable, Sendable, Equatable {
        let pattern: String
        let since: String
        let reason: String?
    }

    /// The map of a run.
    struct Plate: Codable, Sendable {
        let run: String
        let rows: Int
        let columns: Int
        let sequence: Int64
        let now: String
        let patterns: [Pattern]
        var wells: [Well]
    }

    /// Frames of a well's time series that are drawn as one mark.
    struct Bucket: Codable, Sendable {
        let first: Int
        let last: Int
        /// When the first of them was complete.
        let time: String?
        var low: Double?
        var high: Double?
        var flagged: Int
        var suspect: Int
        var unreadable: Int
    }

    /// A frame with which a well became faulty, or normal again.
    struct Transition: Codable, Sendable {
        let frame: Int
        let event: String
        /// Of an onset, the first flagged frame that led to it.
        let from: Int?
    }

    /// From where to where a well can be used.
    struct Range: Codable, Sendable {
        let firstFrame: Int
        let lastFrame: Int
        let lastGood: Int?
        let firstBad: Int?
    }

    /// What frames show of a well, as addresses and as people say it.
    struct View: Codable, Sendable {
        let view: String
        let words: String
    }

    /// The drill-down into a well.
    struct Series: Codable, Sendable {
        let run: String
        let well: String
        /// The view that is shown, and all that the well has.
        let view: String
        let views: [View]
        let frames: Int
        let threshold: Double?
        let range: Range?
        let buckets: [Bucket]
        let transitions: [Transition]
        let decisions: [Decision]
    }

    /// A frame of the film strip; what it shares with a row of `autoqc export` has the same name.
    struct Frame: Codable, Sendable {
        let run: String
        let well: String
        let field: Int?
        let channel: String?
        let plane: Int?
        let frame: Int
        let view: String
        /// Tells the file and page from others that say the same frame.
        let key: String
        let state: String
        let verdict: String?
        let suspect: Bool?
        let severity: Double?
        let threshold: Double?
        let score: Double?
        let scoreMax: Double?
        let scoreMean: Double?
        let scorePatch: Double?
        let area: Double?
        let cause: String?
        let confidence: Double?
        let term: String?
        let terms: [String: Double]?
        let explanation: String?
        let reason: String?
        let wellFaulty: Bool?
        let tier: String?
        let precision: String?
        let change: Double?
        let arrival: Double?
        let evidence: Double?
        let model: String?
        let completed: String?
        let judged: String
        let file: String
        let page: Int
        let sequence: String
        let hasMask: Bool
        let hasHeatMap: Bool
    }

    /// The last frames of a well, the latest first.
    struct Strip: Codable, Sendable {
        let frames: [Frame]
    }

    /// A single frame, with the outline of its mask.
    struct FrameDetail: Codable, Sendable {
        let frame: Frame
        let width: Int?
        let height: Int?
        let box: [Int]?
        /// Polygons in pixels: rings of x, y, x, y, ...
        let outline: [[Int]]
        /// What reviewers say of it, each for themselves.
        let decisions: [Decision]
    }

    /// What a reviewer decided.
    struct Decision: Codable, Sendable {
        let well: String
        let view: String
        let frame: Int?
        let file: String
        let decision: String
        let note: String
        let reviewer: String
        let decided: String

        init(_ decision: Reporting.Decision) {
            well = decision.well.description
            view = decision.view.description
            frame = decision.frame
            file = decision.file
            self.decision = decision.kind.rawValue
            note = decision.note
            reviewer = decision.reviewer
            decided = decision.decided.iso8601
        }
    }

    /// A lens in a run, beside its own past.
    struct Lens: Codable, Sendable {
        /// Its median severity in a run.
        struct Point: Codable, Sendable {
            let run: String
            let severity: Double
            let isOut: Bool
        }

        let lens: Int
        let judged: Int
        let flagged: Int
        let severity: Double
        let mean: Double?
        let spread: Double?
        let deviation: Double?
        let isOut: Bool
        /// The last of them is the run asked for.
        let runs: [Point]

        /// Nothing where there are no rows.
        init?(_ rows: [LensTrend.Row], atMost count: Int) {
            guard let row = rows.last else { return nil }
            (lens, judged, flagged) = (row.lens, row.frames, row.faulty)
            (severity, mean, spread) = (row.median, row.past?.mean, row.past?.spread)
            (deviation, isOut) = (row.deviation, row.isOut)
            runs = rows.suffix(count).map { Point(run: $0.run, severity: $0.median, isOut: $0.isOut) }
        }
    }

    /// What happened to a run, one of its wells or the daemon.
    struct Event: Codable, Sendable {
        let number: Int64
        let time: String
        let event: String
        let run: String?
        let well: String?
        let view: String?
        let frame: Int?
        let message: String

        init(_ numbered: FrameLedger.NumberedEvent) {
            struct Place: Decodable { let frame: Int? }
            let event = numbered.event
            (number, time, self.event) = (numbered.number, event.time.iso8601, event.kind.rawValue)
            (run, well, view) = (event.run, event.well?.description, event.view?.description)
            frame =
                event.well == nil
                ? nil : (try? JSONDecoder().decode(Place.self, from: Data(event.data.utf8)))?.frame
            message = event.message
        }
    }

    /// Events, the latest first.
    struct Events: Codable, Sendable {
        let run: String
        let events: [Event]
    }

    /// The last severities of each well, in its threshold.
    struct Curves: Codable, Sendable {
        let run: String
        let curves: [String: [Double]]
    }

    /// What the daemon waits for.
    struct Watched: Codable, Sendable {
        let folders: [String]
        let pattern: String
        /// A name that fits; missing where the pattern is the admin's own.
        let example: String?

        init(_ session: DaemonSession) {
            let ready = ReadyPattern.all.first { [$0.name, $0.pattern].contains(session.pattern) }
            folders = session.folders
            pattern = ready?.pattern ?? session.pattern
            example = ready?.example
        }
    }

    /// What a frame's pictures are measured by.
    struct Scale: Codable, Sendable {
        /// Width of a pixel in um.
        let pixelSize: Double?
        /// The value that is white in the heat map.
        let heatHigh: Double?
    }

    /// The lenses of a run.
    struct Lenses: Codable, Sendable {
        let run: String
        let lenses: [Lens]
    }

    /// How far two reviewers agree.
    struct Agreement: Codable, Sendable {
        let first: String
        let second: String
        /// Frames and wells that both decided on.
        let both: Int
        /// Share of these on which they say the same.
        let same: Double
        /// Cohen's; missing where both gave one and the same answer throughout.
        let kappa: Double?

        init(_ pair: Reviews.Pair) {
            (first, second) = (pair.first, pair.second)
            (both, same) = (pair.agreement.items, pair.agreement.observed)
            kappa = pair.agreement.kappa
        }
    }

    /// The decisions that count in a run, how far people agree, and whether more can be made here.
    struct Decisions: Codable, Sendable {
        let decisions: [Decision]
        let agreement: [Agreement]
        let isOpen: Bool
    }

    /// A flagged frame, by what an address needs.
    struct FlaggedFrame: Codable, Sendable {
        let well: String
        let view: String
        let frame: Int
        /// Tells the file and page from others that say the same frame.
        let key: String
    }

    /// The flagged frames of a run, in the order of wells and time.
    struct Flagged: Codable, Sendable {
        let run: String
        let frames: [FlaggedFrame]
    }

    /// Why there is no answer.
    struct Problem: Codable, Sendable {
        let error: String
    }

    /// Answers as JSON, with names in snake case.
    static func encode(_ answer: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return try encoder.encode(answer)
    }
}

extension Double {
    /// This number where JSON can say it.
    var finite: Double? { isFinite ? self : nil }
}

/// How a well stands, as the plate map shows it.
enum WellState: String, Codable, Sendable, CaseIterable {
    /// No frame of it has an outcome.
    case empty
    /// It was never faulty, and its last frames are normal.
    case normal
    /// It was faulty in this run, and its last frames are normal; its `CLEAR` may be still to come.
    case recovered
    /// One of its last three frames is faulty, and the well does not count as faulty.
    case suspect
    /// It counts as faulty, after hysteresis, and does not merely wait for its `CLEAR`.
    case faulty
    /// Its frames stopped coming while those of other wells came.
    case stalled
    /// Its last frame could not be judged.
    case unreadable
}
