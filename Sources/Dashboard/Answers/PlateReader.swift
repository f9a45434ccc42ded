import Foundation
package import Ledger
import Plate
import Reporting
package import Rules
import Synchronization
import Verdict

/// Answers from the ledger and the output folder, with look-ups whose cost does not grow with the run.
///
/// Blocks; belongs to one `Worker`.
struct PlateReader: Sendable {
    let ledger: FrameLedger
    let tree: OutputTree
    let decisions: DecisionLog
    let answers: AdviceLog
    let format: WebSettings.PlateFormat
    let lensHistory: LensHistory

    /// Marks drawn for a well's time series, at most.
    static let mostBuckets = 480
    /// Runs in the chart of a lens, at most.
    static let mostRuns = 30
    /// Frames of a film strip, at most.
    static let longestStrip = 60

    /// All runs, the latest first.
    func runs() throws -> [Answer.Run] {
        try ledger.runs().map { run in
            Answer.Run(
                run: run.run,
                wells: run.wells,
                judged: run.judged,
                flagged: run.flagged,
                unreadable: run.quarantined,
                first: run.first.iso8601,
                lastSequence: run.lastSequence
            )
        }
    }

    private func patterns(_ run: String) throws -> [Answer.Pattern] {
        try ledger.plateAlarms(run: run).map {
            Answer.Pattern(pattern: $0.pattern ?? "", since: $0.time.iso8601, reason: $0.reason)
        }
    }

    /// The wells of a run; with `after`, those with an outcome since.
    func plate(_ run: String, after sequence: Int64 = 0) throws -> Answer.Plate {
        let last = try ledger.lastSequence()
        // A ledger that was made anew counts from 1 again: a page that knows of more needs all wells.
        let wells = try ledger.wells(of: run, after: sequence <= last ? sequence : 0)
        let size = PlateSize(holding: wells.map(\.well), atLeast: format.wells)
        return Answer.Plate(
            run: run,
            rows: size.rows,
            columns: size.columns,
            sequence: last,
            now: Timestamp.now.iso8601,
            patterns: try patterns(run),
            wells: wells.map { Answer.Well($0) }
        )
    }

    func lenses(_ run: String) throws -> Answer.Lenses {
        let charts = try lensHistory.trend(of: ledger).charts(of: run)
        return Answer.Lenses(run: run, lenses: charts.compactMap { Answer.Lens($0, atMost: Self.mostRuns) })
    }

    /// A view's frames over time; of none that is asked for, the well's first one.
    func series(_ run: String, _ well: Well, _ view: FrameView?) throws -> Answer.Series {
        let views = try ledger.views(of: well, run: run)
        let view = view ?? views.first ?? .only
        var series = SeriesBuilder()
        try ledger.forEachPoint(of: well, view: view, run: run) { series.add($0) }
        return Answer.Series(
            run: run,
            well: well.description,
            view: view.description,
            views: views.map { Answer.View(view: $0.description, words: $0.words) },
            frames: series.count,
            threshold: series.threshold,
            range: series.range,
            buckets: series.buckets(atMost: Self.mostBuckets),
            transitions: series.transitions,
            decisions: try decisions.decisions(run: run, well: well).map { Answer.Decision($0) }
        )
    }

    /// Frames of a well, the latest first.
    func strip(_ run: String, _ well: Well, _ selection: FrameLedger.Selection) throws -> Answer.Strip {
        Answer.Strip(frames: try ledger.records(of: well, run: run, selection).compactMap { entry($0) })
    }

    /// The record that a frame's page shows: the one of the file asked for; of none, the one recorded last.
    ///
    /// Of a well with views, where none is asked for, that of the first one.
    func record(_ frame: FrameID, file: String) throws -> FrameRecord? {
        let views = frame.view == .only ? try ledger.views(of: frame.well, run: frame.run) : []
        let view = views.contains(frame.view) ? frame.view : views.first ?? frame.view
        let id = FrameID(run: frame.run, well: frame.well, view: view, index: frame.index)
        return try ledger.records(of: id).last {
            $0.state != .skipped && (file.isEmpty || file == $0.source.key)
        }
    }

    func detail(_ frame: FrameID, file: String) throws -> Answer.FrameDetail? {
        guard let record = try record(frame, file: file), let entry = entry(record) else { return nil }
        let mask = FrameFiles(tree: tree, record: record).readMask()
        let outline = mask.map { MaskOutline($0, limit: 200) }
        let rings = (outline?.regions ?? []).flatMap { $0.rings.map { $0.flatMap { [$0.x, $0.y] } } }
        let decisions = try decisions.decisions(run: frame.run, well: frame.well)
        return Answer.FrameDetail(
            frame: entry,
            width: mask?.width ?? record.judgement?.width,
            height: mask?.height ?? record.judgement?.height,
            box: record.judgement?.boundingBox.map { [$0.x, $0.y, $0.width, $0.height] },
            outline: rings,
            decision: decisions.last {
                $0.id == record.frame && ($0.file.isEmpty || $0.file == record.source.key)
            }.map { Answer.Decision($0) }
        )
    }

    /// What a term of the severity means, for people.
    static func words(_ term: String) -> String { SeverityTerm.named(term)?.words ?? term }

    private func entry(_ record: FrameRecord) -> Answer.Frame? {
        guard let frame = record.frame else { return nil }
        let judgement = record.judgement
        let files = FrameFiles(tree: tree, record: record)
        return Answer.Frame(
            frame: frame.index,
            view: frame.view.description,
            key: record.source.key,
            state: record.state.rawValue,
            verdict: judgement?.verdict.rawValue,
            suspect: judgement?.isSuspect,
            severity: judgement?.severity.finite,
            threshold: judgement?.threshold.finite,
            score: judgement?.score.finite,
            area: judgement?.area.finite,
            cause: judgement?.causeName,
            confidence: judgement?.confidence,
            term: judgement?.term,
            terms: judgement?.terms.isEmpty == false
                ? judgement.map { Dictionary($0.terms.map { ($0.term, $0.value) }) { first, _ in first } }
                : nil,
            explanation: judgement?.verdict == .faulty ? judgement?.explanation(words: Self.words) : nil,
            reason: record.reason,
            tier: judgement?.tier.rawValue,
            model: record.model,
            completed: record.completed?.iso8601,
            judged: record.judged.iso8601,
            file: record.source.path,
            page: record.source.page,
            sequence: String(record.judged.nanoseconds, radix: 36),
            hasMask: files.maskPath != nil,
            hasHeatMap: files.heatMapPath.map { FileManager.default.fileExists(atPath: $0) } ?? false
        )
    }
}

extension Answer.Well {
    init(_ summary: WellSummary) {
        let last = summary.last
        well = summary.well.description
        row = summary.well.row
        column = summary.well.column
        state = WellState(summary)
        judged = summary.judged
        flagged = summary.flagged
        unreadable = summary.quarantined
        frame = last.frame
        severity = last.severity?.finite
        threshold = last.threshold?.finite
        cause = last.cause
        reason = last.reason
        completed = last.completed?.iso8601
        sequence = last.sequence
    }
}

extension WellState {
    init(_ summary: WellSummary) {
        if summary.isStalled {
            self = .stalled
        } else if summary.last.state == .quarantined {
            self = .unreadable
        } else if summary.isFaulty {
            self = .faulty
        } else if summary.recentlyFaulty > 0 {
            self = .suspect
        } else {
            self = summary.judged == 0 ? .empty : .normal
        }
    }
}

extension WebSettings.PlateFormat {
    /// How many wells the map has at least.
    var wells: Int { Int(rawValue) ?? 0 }
}

/// A well's time series, made small enough to be drawn: 10,000 frames are more than a screen has columns.
struct SeriesBuilder {
    private var points: [FrameLedger.SeriesPoint] = []
    private(set) var transitions: [Answer.Transition] = []
    private(set) var threshold: Double?
    private var wasFaulty = false
    private var lastGood: Int?
    private var firstBad: Int?

    mutating func add(_ point: FrameLedger.SeriesPoint) {
        points.append(point)
        threshold = point.threshold ?? threshold
        if firstBad == nil, point.state == .judged {
            if point.isFaulty { firstBad = point.frame } else { lastGood = point.frame }
        }
        guard let isFaulty = point.wellIsFaulty, isFaulty != wasFaulty else { return }
        wasFaulty = isFaulty
        transitions.append(Answer.Transition(frame: point.frame, event: isFaulty ? "ONSET" : "CLEAR"))
    }

    var count: Int { points.count }
    var flagged: Int { points.count { $0.isFaulty } }
    var unreadable: Int { points.count { $0.state == .quarantined } }

    /// From where to where the well can be used: up to the frame before the first flagged one.
    var range: Answer.Range? {
        guard let first = points.first, let last = points.last else { return nil }
        return Answer.Range(
            firstFrame: first.frame,
            lastFrame: last.frame,
            lastGood: lastGood,
            firstBad: firstBad
        )
    }

    /// The frames as at most so many marks, each with the lowest and the highest severity of its frames.
    func buckets(atMost most: Int) -> [Answer.Bucket] {
        let size = max(1, (points.count + most - 1) / most)
        return stride(from: 0, to: points.count, by: size).map { start in
            let part = points[start..<min(start + size, points.count)]
            let severities = part.compactMap { $0.severity?.finite }
            return Answer.Bucket(
                first: part.first?.frame ?? 0,
                last: part.last?.frame ?? 0,
                low: severities.min(),
                high: severities.max(),
                flagged: part.count { $0.isFaulty },
                suspect: part.count { $0.isSuspect },
                unreadable: part.count { $0.state == .quarantined }
            )
        }
    }
}

/// How each lens did in each run of a ledger; what was found of a run is kept until a frame of it is added.
package final class LensHistory: Sendable {
    private let rules: PlateRules
    private let known = Mutex<[String: (lastSequence: Int64, lenses: [Int: LensTally.Summary])]>([:])

    /// Looks into ledgers of a microscope whose lenses stand like this.
    package init(rules: PlateRules) {
        self.rules = rules
    }

    /// All runs, in the order of their first outcome.
    ///
    /// Reads every frame of the runs that changed since it was asked last: a second or two for a million.
    package func trend(of ledger: FrameLedger) throws(LedgerError) -> LensTrend {
        var trend = LensTrend()
        for run in try ledger.runs().sorted(by: { ($0.first, $0.lastSequence) < ($1.first, $1.lastSequence) })
        {
            trend.add(run.run, try lenses(of: run, ledger))
        }
        return trend
    }

    private func lenses(
        of run: FrameLedger.RunSummary,
        _ ledger: FrameLedger
    ) throws(LedgerError) -> [Int: LensTally.Summary] {
        if let kept = known.withLock({ $0[run.run] }), kept.lastSequence == run.lastSequence {
            return kept.lenses
        }
        var tally = LensTally(rules: rules)
        try ledger.forEachSeverity(of: run.run) { tally.add($0, severity: $1, isFaulty: $2) }
        let lenses = tally.summaries
        known.withLock { $0[run.run] = (run.lastSequence, lenses) }
        return lenses
    }
}
