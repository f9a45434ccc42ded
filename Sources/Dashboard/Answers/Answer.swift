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
        let cause: String?
        let reason: String?
        let completed: String?
        let sequence: Int64
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

    /// A frame of the film strip.
    struct Frame: Codable, Sendable {
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
        let area: Double?
        let cause: String?
        let confidence: Double?
        let term: String?
        let terms: [String: Double]?
        let explanation: String?
        let reason: String?
        let tier: String?
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
        let decision: Decision?
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

    /// The lenses of a run.
    struct Lenses: Codable, Sendable {
        let run: String
        let lenses: [Lens]
    }

    /// The decisions that count in a run, and whether more can be made here.
    struct Decisions: Codable, Sendable {
        let decisions: [Decision]
        let isOpen: Bool
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

extension Answer {
    /// The header of the page: the daemon's own figures, and the disk's.
    struct Status: Codable, Sendable {
        /// Sums since the daemon's start.
        struct Daemon: Codable, Sendable {
            let started: String
            let seen: Int
            let known: Int
            let judged: Int
            let flagged: Int
            let quarantined: Int
            let skipped: Int
            let halves: Int
            let deferred: Int
            let waiting: Int
            /// When the file was whole that waits longest.
            let waitingSince: String?
            let lag: Double
            let measures: String
            let framesPerSecond: Double
            let latencyMedian: Double?
            let latencyShare99: Double?
            let model: String
            let precision: String
            let falseAlarmRate: Double?
            let isReady: Bool
            let isAlive: Bool
            /// What keeps the daemon, or a well, from going on; a sentence each.
            let obstacles: [String]
            let canary: Canary?
        }

        /// What the daemon's test of itself found last.
        struct Canary: Codable, Sendable {
            /// The same of one class of faults.
            struct Tally: Codable, Sendable {
                let cause: String
                let copies: Int
                let found: Int
            }

            let time: String
            let copies: Int
            let found: Int
            let sensitivity: Double?
            let causes: [Tally]
            /// Why there is an alarm.
            let alarm: String?
        }

        let now: String
        /// What the daemon said of itself last.
        let daemon: Daemon?
        /// Why it is not known how the daemon is; `nil` while it reports, and where there is none.
        let daemonGone: String?
        /// Bytes that the output's file system has left, and how many it has.
        let diskFree: Int64?
        let diskSize: Int64?
        let canDecide: Bool
        let version: String
    }
}

extension Answer.Status {
    private static let version = "v1"

    init(_ tree: OutputTree, _ standing: StatusFile.Standing?, canDecide: Bool) {
        var disk = statvfs()
        let isKnown = unsafe statvfs(tree.root, &disk) == 0
        switch standing {
        case nil: (daemon, daemonGone) = (nil, nil)
        case .alive(let figures): (daemon, daemonGone) = (Daemon(figures, isAlive: figures.isAlive), nil)
        case .gone(let reason, let last):
            (daemon, daemonGone) = (last.map { Daemon($0, isAlive: false) }, reason)
        }
        now = Timestamp.now.iso8601
        diskFree =
            isKnown ? Int64(clamping: UInt64(disk.f_bavail).saturatingMultiply(UInt64(disk.f_frsize))) : nil
        diskSize =
            isKnown ? Int64(clamping: UInt64(disk.f_blocks).saturatingMultiply(UInt64(disk.f_frsize))) : nil
        self.canDecide = canDecide
        version = Self.version
    }
}

extension Answer.Status.Daemon {
    init(_ figures: DaemonFigures, isAlive: Bool) {
        started = figures.started.iso8601
        seen = figures.counts.seen
        known = figures.counts.known
        judged = figures.counts.judged
        flagged = figures.counts.flagged
        quarantined = figures.counts.quarantined
        skipped = figures.counts.skipped
        halves = figures.counts.halves
        deferred = figures.counts.deferred
        waiting = figures.waiting
        waitingSince = figures.waitingSince?.iso8601
        lag = figures.lag
        measures = figures.measures
        framesPerSecond = figures.framesPerSecond
        latencyMedian = figures.latency.median
        latencyShare99 = figures.latency.share99
        model = figures.model
        precision = figures.precision
        falseAlarmRate = figures.falseAlarmRate
        isReady = figures.isReady
        self.isAlive = isAlive
        obstacles =
            figures.obstacles.map(\.reason) + figures.troubles
            + figures.silentFolders.map { "\($0.name) does not answer." }
        canary = figures.canary.map { Answer.Status.Canary($0) }
    }
}

extension Answer.Status.Canary {
    init(_ canary: DaemonFigures.Canary) {
        time = canary.round.time.iso8601
        copies = canary.round.copies
        found = canary.round.found
        sensitivity = canary.round.sensitivity
        causes = canary.round.tallies.map {
            Tally(cause: $0.cause.rawValue, copies: $0.copies, found: $0.found)
        }
        alarm = canary.alarm
    }
}

/// How a well stands, as the plate map shows it.
enum WellState: String, Codable, Sendable, CaseIterable {
    /// No frame of it has an outcome.
    case empty
    /// Its last frames are normal.
    case normal
    /// One of its last three frames is faulty, and the well does not count as faulty.
    case suspect
    /// It counts as faulty, after hysteresis.
    case faulty
    /// Its frames stopped coming while those of other wells came.
    case stalled
    /// Its last frame could not be judged.
    case unreadable
}
