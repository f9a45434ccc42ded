package import Ledger
package import Plate
package import Reporting
package import Rules
package import Tables

/// Which frames of which wells can be used, as two tables: a row for each interval, and a row for each view of a well.
package struct UsableTables {
    /// A view of a well, and what of it can be used.
    package struct View: Sendable {
        /// Name of the run.
        package let run: String
        /// The well.
        package let well: Well
        /// What its frames show of the well.
        package let view: FrameView
        /// The intervals.
        package let usable: UsableFrames
        /// Indices of the good frames, in intervals or not.
        package let goodFrames: [Int]
        /// Frames that are flagged.
        package let flagged: Int
        /// Frames without a verdict.
        package let unreadable: Int
        /// The cause that most flagged frames have; `nil` where none is flagged.
        package let cause: String?
        /// How many of the flagged frames have which cause.
        package let causes: [String: Int]
        /// Indices of the first and the last flagged frame.
        package let flaggedFrames: ClosedRange<Int>?
        /// What reviewers said of the well.
        package let review: String?
    }

    /// An interval and whose it is.
    package struct Interval: Sendable {
        fileprivate let view: View
        fileprivate let interval: UsableFrames.Interval
    }

    /// The views, in order of runs and wells.
    package let views: [View]

    /// Reads the frames of one run or of all, of one well or of all.
    package init(
        ledger: FrameLedger,
        tree: OutputTree,
        run: String? = nil,
        well: Well? = nil,
        rule: UsableFrames.Rule = .init()
    ) throws {
        let log = DecisionLog(tree)
        var views: [View] = []
        for run in try run.map({ [$0] }) ?? ledger.runs().map(\.run).sorted() {
            let reviews = Reviews(try log.decisions(run: run))
            for summary in try ledger.wells(of: run) where well == nil || summary.well == well {
                for view in try ledger.views(of: summary.well, run: run) {
                    let well = summary.well
                    var tally = UsableTally()
                    try ledger.forEachPoint(of: well, view: view, run: run) { point in
                        let id = FrameID(run: run, well: well, view: view, index: point.frame)
                        tally.add(point, reviews.opinion(on: id, isFlagged: point.isFaulty))
                    }
                    let word = reviews.onWell(well, run: run).map(\.words).joined(separator: "; ")
                    views.append(View(run, well, view, tally, rule, review: word.isEmpty ? nil : word))
                }
            }
        }
        self.views = views
    }

    /// All intervals, in order of views and time.
    package var intervals: [Interval] {
        views.flatMap { view in view.usable.intervals.map { Interval(view: view, interval: $0) } }
    }

    /// Columns: `run`, `well`, `field`, `channel`, `plane`, `first` and `last` (indices of frames), `frames` (good ones in it),
    /// `seconds` (from the writing of the first frame to that of the last).
    package static let ofIntervals = Table<Interval>([
        ("run", { .text($0.view.run) }),
        ("well", { .text($0.view.well.description) }),
        ("field", { $0.view.view.field.map { .integer($0) } }),
        ("channel", { $0.view.view.channel.map { .text($0) } }),
        ("plane", { $0.view.view.plane.map { .integer($0) } }),
        ("first", { .integer($0.interval.first) }),
        ("last", { .integer($0.interval.last) }),
        ("frames", { .integer($0.interval.frames) }),
        ("seconds", { $0.interval.seconds.map { .number($0) } }),
    ])

    /// Columns: `run`, `well`, `field`, `channel`, `plane`, `frames`, `flagged`, `unreadable`, `missing` (never came), `usable` (good
    /// frames in intervals), `intervals`, `longest` (good frames of the longest interval), `share` (usable of all frames), `cause` (of
    /// most flagged frames), `first_flagged`, `last_flagged`, `review` (a reviewer's word on the well), `verdict` (`usable`,
    /// `partly`, `not`).
    package static let ofWells = Table<View>([
        ("run", { .text($0.run) }),
        ("well", { .text($0.well.description) }),
        ("field", { $0.view.field.map { .integer($0) } }),
        ("channel", { $0.view.channel.map { .text($0) } }),
        ("plane", { $0.view.plane.map { .integer($0) } }),
        ("frames", { .integer($0.usable.frames) }),
        ("flagged", { .integer($0.flagged) }),
        ("unreadable", { .integer($0.unreadable) }),
        ("missing", { .integer($0.usable.missing) }),
        ("usable", { .integer($0.usable.usable) }),
        ("intervals", { .integer($0.usable.intervals.count) }),
        ("longest", { .integer($0.usable.longest) }),
        ("share", { .number(Double($0.usable.usable) / Double(max($0.usable.frames, 1))) }),
        ("cause", { $0.cause.map { .text($0) } }),
        ("first_flagged", { ($0.flaggedFrames?.lowerBound).map { .integer($0) } }),
        ("last_flagged", { ($0.flaggedFrames?.upperBound).map { .integer($0) } }),
        ("review", { $0.review.map { .text($0) } }),
        ("verdict", { .text($0.usable.verdict.rawValue) }),
    ])
}

extension UsableTables.View {
    fileprivate init(
        _ run: String,
        _ well: Well,
        _ view: FrameView,
        _ tally: UsableTally,
        _ rule: UsableFrames.Rule,
        review: String?
    ) {
        (self.run, self.well, self.view, self.review) = (run, well, view, review)
        (usable, goodFrames) = (tally.usable(rule), tally.good(rule))
        (flagged, unreadable) = (tally.flagged, tally.unreadable)
        (cause, causes, flaggedFrames) = (tally.cause, tally.causes, tally.flaggedFrames)
    }
}
