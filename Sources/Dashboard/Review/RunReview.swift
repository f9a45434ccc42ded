import Foundation
import Ledger
import Plate
import Reporting

/// What is worth saying of a run when it is over, gathered in one pass over its frames.
struct RunReview: Sendable {
    /// One view of a well.
    struct WellReview: Sendable {
        let well: Plate.Well
        let view: FrameView
        let frames: Int
        let flagged: Int
        let unreadable: Int
        let range: Answer.Range?
        let worst: Double?
        let threshold: Double?
        let buckets: [Answer.Bucket]
        let transitions: [Answer.Transition]
        let decision: Decision?
    }

    /// A frame and how far it is from its threshold.
    struct Candidate: Sendable {
        let well: Plate.Well
        /// Where the ledger has it.
        let sequence: Int64
        let severity: Double
        let threshold: Double

        /// Below 1 for a normal frame; far from 1 is sure.
        var ratio: Double { severity / max(threshold, .leastNormalMagnitude) }
    }

    let run: String
    let size: PlateSize
    let first: Timestamp
    let wells: [WellReview]
    let sessions: [DaemonSession]
    let decisions: [Decision]
    /// The four ends, each surest or nearest first.
    let surestFaulty: [Candidate]
    let leastSureFaulty: [Candidate]
    let surestNormal: [Candidate]
    let leastSureNormal: [Candidate]

    /// Frames shown at each end.
    static let ends = 4
    /// Marks in a well's small timeline.
    private static let marks = 120

    init?(
        _ run: String,
        ledger: FrameLedger,
        decisions: [Decision],
        format: WebSettings.PlateFormat
    ) throws(LedgerError) {
        let summaries = try ledger.wells(of: run)
        guard let first = summaries.map(\.first).min() else { return nil }
        var ends = Ends()
        var wells: [WellReview] = []
        for summary in summaries {
            let well = summary.well
            let decision = decisions.first { $0.well == well && $0.frame == nil }
            for view in try ledger.views(of: well, run: run) {
                var series = SeriesBuilder()
                try ledger.forEachPoint(of: well, view: view, run: run) { point in
                    series.add(point)
                    ends.add(point, of: well)
                }
                wells.append(WellReview(well, view, series, marks: Self.marks, decision: decision))
            }
        }
        self.run = run
        self.first = first
        self.wells = wells
        self.decisions = decisions
        size = PlateSize(holding: wells.map(\.well), atLeast: format.wells)
        sessions = try ledger.sessions()
        surestFaulty = ends.faulty.highest
        leastSureFaulty = ends.faulty.lowest
        surestNormal = ends.normal.lowest
        leastSureNormal = ends.normal.highest
    }

    /// The wells that have frames.
    var wellCount: Int { Set(wells.map(\.well)).count }
    /// The wells of which a view turned faulty.
    var turnedFaulty: Int { Set(wells.filter { !$0.transitions.isEmpty }.map(\.well)).count }
    var judged: Int { wells.reduce(0) { $0 + $1.frames - $1.unreadable } }
    var flagged: Int { wells.reduce(0) { $0 + $1.flagged } }
    var unreadable: Int { wells.reduce(0) { $0 + $1.unreadable } }

    /// The frames at both ends of a verdict.
    private struct Ends {
        struct Side {
            private(set) var highest: [Candidate] = []
            private(set) var lowest: [Candidate] = []

            mutating func add(_ candidate: Candidate) {
                Self.insert(candidate, into: &highest) { $0.ratio > $1.ratio }
                Self.insert(candidate, into: &lowest) { $0.ratio < $1.ratio }
            }

            private static func insert(
                _ candidate: Candidate,
                into list: inout [Candidate],
                before: (Candidate, Candidate) -> Bool
            ) {
                if list.count == RunReview.ends, let last = list.last, !before(candidate, last) { return }
                // One of each well: the others look alike.
                if let same = list.firstIndex(where: { $0.well == candidate.well }) {
                    guard before(candidate, list[same]) else { return }
                    list.remove(at: same)
                }
                list.insert(candidate, at: list.firstIndex { before(candidate, $0) } ?? list.endIndex)
                list.removeLast(max(0, list.count - RunReview.ends))
            }
        }

        var faulty = Side()
        var normal = Side()

        mutating func add(_ point: FrameLedger.SeriesPoint, of well: Plate.Well) {
            guard let severity = point.severity?.finite, let threshold = point.threshold?.finite else {
                return
            }
            let candidate = Candidate(
                well: well,
                sequence: point.sequence,
                severity: severity,
                threshold: threshold
            )
            if point.isFaulty { faulty.add(candidate) } else { normal.add(candidate) }
        }
    }
}

extension RunReview.WellReview {
    fileprivate init(
        _ well: Plate.Well,
        _ view: FrameView,
        _ series: SeriesBuilder,
        marks: Int,
        decision: Decision?
    ) {
        (self.well, self.view) = (well, view)
        frames = series.count
        flagged = series.flagged
        unreadable = series.unreadable
        range = series.range
        buckets = series.buckets(atMost: marks)
        worst = buckets.compactMap(\.high).max()
        threshold = series.threshold
        transitions = series.transitions
        self.decision = decision
    }
}
