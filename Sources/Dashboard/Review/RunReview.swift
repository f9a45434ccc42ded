import Foundation
import Ledger
import Plate
import Reporting
import Rules

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
        /// What can be used of it, after the reviewers' decisions.
        let usable: UsableFrames
        let tally: UsableTally
        /// The decisions on the well as a whole.
        let decisions: [Decision]

        /// What the reviewers say of the well together.
        var opinion: Opinion? { Opinion(of: decisions.compactMap(\.opinion)) }
    }

    /// Flagged frames of a view without a longer gap.
    struct Episode: Sendable {
        let well: Plate.Well
        let view: FrameView
        /// In order of time.
        let frames: [FrameRecord]
        /// The one farthest above its threshold.
        let worst: FrameRecord
    }

    let run: String
    let size: PlateSize
    let first: Timestamp
    /// When the first and the last of its files were written.
    let written: ClosedRange<Timestamp>?
    /// Indices of its first and last frame.
    let indices: ClosedRange<Int>
    let rule: UsableFrames.Rule
    let wells: [WellReview]
    let sessions: [DaemonSession]
    let reviews: Reviews
    /// Of the run, and of the daemon while it lasted, the earliest first.
    let events: [Event]
    /// Earlier events that are not among them.
    let hasEarlierEvents: Bool

    /// Marks in a well's small timeline.
    private static let marks = 120
    /// Events, at most.
    private static let mostEvents = 300

    init?(
        _ run: String,
        ledger: FrameLedger,
        decisions: [Decision],
        format: WebSettings.PlateFormat,
        rule: UsableFrames.Rule = .init()
    ) throws(LedgerError) {
        let summaries = try ledger.wells(of: run)
        guard let first = summaries.map(\.first).min() else { return nil }
        let reviews = Reviews(decisions)
        var wells: [WellReview] = []
        var times = Times()
        for summary in summaries {
            let well = summary.well
            for view in try ledger.views(of: well, run: run) {
                var (series, tally) = (SeriesBuilder(), UsableTally())
                try ledger.forEachPoint(of: well, view: view, run: run) { point in
                    series.add(point)
                    times.add(point)
                    let id = FrameID(run: run, well: well, view: view, index: point.frame)
                    tally.add(point, reviews.opinion(on: id, isFlagged: point.isFaulty))
                }
                wells.append(
                    WellReview(
                        well,
                        view,
                        series,
                        tally,
                        rule: rule,
                        marks: Self.marks,
                        decisions: reviews.onWell(well, run: run)
                    )
                )
            }
        }
        (self.run, self.first, self.wells, self.reviews, self.rule) = (run, first, wells, reviews, rule)
        written = times.written
        let all = wells.compactMap(\.tally.indices)
        indices = (all.map(\.lowerBound).min() ?? 0)...(all.map(\.upperBound).max() ?? 0)
        size = PlateSize(holding: wells.map(\.well), atLeast: format.wells)
        sessions = try ledger.sessions()
        let known = try ledger.events(of: run, limit: Self.mostEvents).map(\.event)
        let span = times.span ?? first...first
        events = known.reversed().filter { $0.run == run || span.contains($0.time) }
        hasEarlierEvents = known.count == Self.mostEvents
    }

    /// The wells that have frames.
    var wellCount: Int { Set(wells.map(\.well)).count }
    /// The wells of which a view turned faulty.
    var turnedFaulty: Int { Set(wells.filter { !$0.transitions.isEmpty }.map(\.well)).count }
    var frames: Int { wells.reduce(0) { $0 + $1.frames } }
    var judged: Int { wells.reduce(0) { $0 + $1.frames - $1.unreadable } }
    var flagged: Int { wells.reduce(0) { $0 + $1.flagged } }
    var unreadable: Int { wells.reduce(0) { $0 + $1.unreadable } }
    var missing: Int { wells.reduce(0) { $0 + $1.usable.missing } }
    var usable: Int { wells.reduce(0) { $0 + $1.usable.usable } }

    /// What can be used of a well, of all its views.
    func verdict(of well: Plate.Well) -> UsableFrames.Verdict? {
        let views = Set(wells.filter { $0.well == well }.map(\.usable.verdict))
        return views.count > 1 ? .partly : views.first
    }

    /// The flagged frames of each view, in order of wells and time.
    func episodes(_ ledger: FrameLedger) throws(LedgerError) -> [Episode] {
        var episodes: [Episode] = []
        for well in wells where well.flagged > 0 {
            let selection = FrameLedger.Selection(
                limit: Self.mostFlagged,
                view: well.view,
                flaggedOnly: true
            )
            var frames: [FrameRecord] = []
            for record in try ledger.records(of: well.well, run: run, selection).reversed() {
                if let last = frames.last?.frame?.index, let next = record.frame?.index,
                    UsableFrames.missing(from: last, to: next, step: well.usable.step) > rule.bridged
                {
                    Self.end(&frames, of: well, in: &episodes)
                }
                frames.append(record)
            }
            Self.end(&frames, of: well, in: &episodes)
        }
        return episodes
    }

    /// Flagged frames of a view that are looked at, at most.
    private static let mostFlagged = 2000

    private static func end(
        _ frames: inout [FrameRecord],
        of well: WellReview,
        in episodes: inout [Episode]
    ) {
        guard let worst = frames.max(by: { $0.excess < $1.excess }) else { return }
        episodes.append(Episode(well: well.well, view: well.view, frames: frames, worst: worst))
        frames = []
    }

    /// When the frames came.
    private struct Times {
        private(set) var written: ClosedRange<Timestamp>?
        /// From the first to the last complete file.
        private(set) var span: ClosedRange<Timestamp>?

        mutating func add(_ point: SeriesPoint) {
            written = Self.joined(written, point.modified ?? point.completed)
            span = Self.joined(span, point.completed)
        }

        private static func joined(_ range: ClosedRange<Timestamp>?, _ time: Timestamp?)
            -> ClosedRange<Timestamp>?
        {
            guard let time else { return range }
            guard let range else { return time...time }
            return min(range.lowerBound, time)...max(range.upperBound, time)
        }
    }
}

extension FrameRecord {
    /// Severity in thresholds: above 1 for a flagged frame.
    var excess: Double {
        guard let judgement else { return 0 }
        let ratio = judgement.severity / max(judgement.threshold, .leastNormalMagnitude)
        return ratio.isNaN ? .infinity : ratio
    }

    /// When its file was written; where that is not known, when it was complete.
    var written: Timestamp? { source.identity?.modified ?? completed }
}

extension RunReview.WellReview {
    fileprivate init(
        _ well: Plate.Well,
        _ view: FrameView,
        _ series: SeriesBuilder,
        _ tally: UsableTally,
        rule: UsableFrames.Rule,
        marks: Int,
        decisions: [Decision]
    ) {
        (self.well, self.view, self.tally, self.decisions) = (well, view, tally, decisions)
        frames = series.count
        flagged = series.flagged
        unreadable = series.unreadable
        range = series.range
        buckets = series.buckets(atMost: marks)
        worst = buckets.compactMap(\.high).max()
        threshold = series.threshold
        transitions = series.transitions
        usable = tally.usable(rule)
    }
}
