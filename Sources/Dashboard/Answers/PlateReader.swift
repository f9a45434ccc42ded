import Foundation
import Ledger
import Plate
import Reporting
import Rules
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
    let worstFaults: WorstFaults

    /// Marks drawn for a well's time series, at most.
    static let mostBuckets = 480
    /// Events of one answer, at most.
    static let mostEvents = 100
    /// Frames of a small curve, at most.
    static let longestCurve = 60
    /// Runs in the chart of a lens, at most.
    static let mostRuns = 30
    /// Frames of a film strip, at most.
    static let longestStrip = 60
    /// Flagged frames of one answer, at most.
    static let mostFlagged = 10_000

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

    /// The patterns that were announced and hold now, in the words of now: wells may have joined or recovered since.
    private func patterns(_ run: String) throws -> [Answer.Pattern] {
        let announced = try ledger.plateAlarms(run: run)
        guard !announced.isEmpty else { return [] }
        let state = PlateState(
            standings: try ledger.standings(of: run),
            changes: try ledger.alarms(run: run, events: [.shift, .drift]),
            announced: announced,
            at: try ledger.lastFrame(of: run),
            rules: lensHistory.rules
        )
        let standing = state.standing
        return announced.compactMap { alarm in
            guard let pattern = alarm.pattern.flatMap(PlatePattern.init(name:)),
                let reason = standing[pattern]
            else { return nil }
            return Answer.Pattern(pattern: pattern.name, since: alarm.time.iso8601, reason: reason)
        }
    }

    /// The wells of a run; with `after`, those with an outcome since.
    func plate(_ run: String, after sequence: Int64 = 0) throws -> Answer.Plate {
        let last = try ledger.lastSequence()
        // A ledger that was made anew counts from 1 again: a page that knows of more needs all wells.
        let wells = try ledger.wells(of: run, after: sequence <= last ? sequence : 0)
        let worst = try worstFaults.wells(of: run, in: ledger)
        let size = PlateSize(holding: wells.map(\.well), atLeast: format.wells)
        return Answer.Plate(
            run: run,
            rows: size.rows,
            columns: size.columns,
            sequence: last,
            now: Timestamp.now.iso8601,
            patterns: try patterns(run),
            wells: wells.map { Answer.Well($0, worst: worst[$0.well]) }
        )
    }

    func lenses(_ run: String) throws -> Answer.Lenses {
        let charts = try lensHistory.trend(of: ledger).charts(of: run)
        return Answer.Lenses(run: run, lenses: charts.compactMap { Answer.Lens($0, atMost: Self.mostRuns) })
    }

    /// Events of a run and of the daemon, the latest first.
    func events(_ run: String, _ kinds: Set<Event.Kind>, before number: Int64) throws -> Answer.Events {
        let events = try ledger.events(of: run, kinds: kinds, before: number, limit: Self.mostEvents)
        return Answer.Events(run: run, events: events.map { Answer.Event($0) })
    }

    /// Small curves of all wells.
    func curves(_ run: String) throws -> Answer.Curves {
        let curves = try ledger.recentSeverities(of: run, count: Self.longestCurve).map { well, ratios in
            (well.description, ratios.compactMap { $0.finite?.roundedToFourDigits })
        }
        return Answer.Curves(run: run, curves: Dictionary(uniqueKeysWithValues: curves))
    }

    /// What the daemon that wrote the ledger watched last; `nil` where none did.
    func watched() throws -> Answer.Watched? { try ledger.sessions().last.map { Answer.Watched($0) } }

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
            decisions: decisions.filter {
                $0.id == record.frame && ($0.file.isEmpty || $0.file == record.source.key)
            }.map { Answer.Decision($0) }
        )
    }

    /// The flagged frames of a run, for who looks through them.
    func flagged(_ run: String) throws -> Answer.Flagged {
        var frames: [Answer.FlaggedFrame] = []
        for well in try ledger.wells(of: run) where well.flagged > 0 {
            let selection = FrameLedger.Selection(
                limit: Self.mostFlagged - frames.count,
                flaggedOnly: true
            )
            for record in try ledger.records(of: well.well, run: run, selection).sorted(by: Self.isBefore) {
                guard let frame = record.frame else { continue }
                frames.append(
                    Answer.FlaggedFrame(
                        well: frame.well.description,
                        view: frame.view.description,
                        frame: frame.index,
                        key: record.source.key
                    )
                )
            }
        }
        return Answer.Flagged(run: run, frames: frames)
    }

    private static func isBefore(_ first: FrameRecord, _ second: FrameRecord) -> Bool {
        guard let one = first.frame, let other = second.frame, one != other else {
            return first.source.place < second.source.place
        }
        return one < other
    }

    /// What a term of the severity means, for people.
    static func words(_ term: String) -> String { SeverityTerm.named(term)?.words ?? term }

    private func entry(_ record: FrameRecord) -> Answer.Frame? {
        guard let frame = record.frame else { return nil }
        let judgement = record.judgement
        let files = FrameFiles(tree: tree, record: record)
        return Answer.Frame(
            run: frame.run,
            well: frame.well.description,
            field: frame.view.field,
            channel: frame.view.channel,
            plane: frame.view.plane,
            frame: frame.index,
            view: frame.view.description,
            key: record.source.key,
            state: record.state.rawValue,
            verdict: (record.state == .quarantined ? .unreadable : judgement?.verdict)?.rawValue,
            suspect: judgement?.isSuspect,
            severity: judgement?.severity.finite,
            threshold: judgement?.threshold.finite,
            score: judgement?.score.finite,
            scoreMax: judgement?.scores?.maximum.finite,
            scoreMean: judgement?.scores?.mean.finite,
            scorePatch: judgement?.scores?.patch.finite,
            area: judgement?.area.finite,
            cause: judgement?.causeName,
            confidence: judgement?.confidence,
            term: judgement?.term,
            terms: judgement?.terms.isEmpty == false ? judgement?.terms.byName : nil,
            explanation: judgement?.verdict == .faulty ? judgement?.explanation(words: Self.words) : nil,
            reason: record.reason,
            wellFaulty: judgement?.wellIsFaulty,
            tier: judgement?.tier.rawValue,
            precision: judgement?.precision,
            change: judgement?.change?.finite,
            arrival: judgement?.arrival?.finite,
            evidence: judgement?.evidence?.finite,
            model: record.model,
            completed: record.completed?.iso8601,
            judged: record.judged.iso8601,
            file: record.source.absolutePath,
            page: record.source.page,
            sequence: String(record.judged.nanoseconds, radix: 36),
            hasMask: files.maskPath != nil,
            hasHeatMap: files.heatMapPath.map { FileManager.default.fileExists(atPath: $0) } ?? false
        )
    }
}

extension Answer.Well {
    init(_ summary: WellSummary, worst: FrameLedger.WorstFault? = nil) {
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
        terms = last.terms.isEmpty ? nil : last.terms.byName
        cause = last.cause
        reason = last.reason
        completed = last.completed?.iso8601
        first = summary.first.iso8601
        self.worst = worst.map { Answer.Worst($0) }
        sequence = last.sequence
    }
}

extension WellState {
    init(_ summary: WellSummary) {
        if summary.isStalled {
            self = .stalled
        } else if summary.last.state == .quarantined {
            self = .unreadable
        } else if summary.standings.isFaultyNow {
            self = .faulty
        } else if summary.standings.contains(where: \.isClearing) {
            self = .recovered
        } else if summary.recentlyFaulty > 0 {
            self = .suspect
        } else if summary.wasFaulty {
            self = .recovered
        } else {
            self = summary.judged == 0 ? .empty : .normal
        }
    }
}

extension WebSettings.PlateFormat {
    /// How many wells the map has at least.
    var wells: Int { Int(rawValue) ?? 0 }
}

extension [SeverityContribution] {
    /// What each term adds, by its name.
    fileprivate var byName: [String: Double] {
        Dictionary(map { ($0.term, $0.value) }) { first, _ in first }
    }
}

extension Answer.Worst {
    init(_ fault: FrameLedger.WorstFault) {
        frame = fault.frame
        severity = fault.severity.finite
        threshold = fault.threshold.finite
        cause = fault.cause
    }
}
