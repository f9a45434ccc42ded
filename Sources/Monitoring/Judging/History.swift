import Ledger
import Plate
import Rules

/// A view of a well while a batch of it is judged.
///
/// Nothing depends on what of it is kept in memory, so that a restart changes nothing.
struct ViewState {
    /// The view as the ledger knows it, without the newest frames if these are judged again.
    var sequence: WellSequence
    /// The first turn of those that are judged again and take their old place; `nil` where there are none.
    let replayedFrom: Int64?
    /// Whether the well's log says that the view is faulty.
    let wasFaulty: Bool

    /// A view of a frame's well, before `count` frames of which some have had their `turns`.
    init(
        of frame: FrameID,
        before count: Int,
        turns: Set<Int64>,
        _ settings: FramePipeline.Settings,
        _ environment: FramePipeline.Environment
    ) throws {
        let ledger = environment.ledger
        typealias History = WellSequence.History
        let rules = WellSequence.Settings(
            hysteresis: settings.hysteresis,
            frozenFrames: settings.frozenFrames,
            drift: settings.drift,
            evidence: settings.evidence,
            trustsThreshold: settings.threshold != nil
        )
        var history = History()
        let known = try ledger.history(
            of: frame.well,
            view: frame.view,
            run: frame.run,
            count: History.frames(rules),
            without: turns
        )
        (history.frames, history.isFaulty, history.newest) = (known.frames, known.isFaulty, known.newest)
        (replayedFrom, wasFaulty) = (known.end, known.wasFaulty)
        // Figures are in the spread of what a model calls normal: those of two models cannot be compared.
        history.looks = try ledger.appearances(
            of: frame.well,
            view: frame.view,
            run: frame.run,
            model: settings.judge.model,
            count: ChangeRule.window,
            before: known.end
        ).map {
            ChangeRule.Look(
                appearance: $0.appearance,
                terms: $0.terms,
                change: $0.change,
                evidence: $0.evidence,
                arrival: $0.arrival
            )
        }
        if settings.evidence {
            let known = environment.arrivals.rule(
                of: frame,
                after: history.newest,
                model: settings.judge.model
            )
            history.arrivals =
                try known ?? ArrivalRule(after: history.frames, of: frame, settings, environment)
        }
        if settings.drift, known.frames.count + count > ChangeRule.before {
            history.firstSeverities = try ledger.firstSeverities(
                of: frame.well,
                view: frame.view,
                run: frame.run,
                model: settings.judge.model,
                count: DriftRule.window,
                before: known.end
            )
            // No farther back than an earlier event keeps the next one silent: a well may have many alarms.
            history.lastChange = try ledger.alarms(
                run: frame.run,
                well: frame.well,
                view: frame.view,
                frames: frame.index - DriftRule.silence...frame.index + count + DriftRule.silence,
                events: [.shift, .drift]
            ).last?.frame.index
        }
        sequence = WellSequence(history, settings: rules)
    }
}

extension PlateState {
    /// The wells of a run as the ledger knows them at the frame of an alarm.
    init(at frame: FrameID, announced: [Alarm], in ledger: FrameLedger, rules: PlateRules) throws {
        self.init(
            standings: try ledger.standings(of: frame.run),
            changes: try ledger.alarms(run: frame.run, events: [.shift, .drift]),
            announced: announced,
            at: frame.index,
            rules: rules
        )
    }
}
