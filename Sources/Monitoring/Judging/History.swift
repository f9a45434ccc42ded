import Ledger
import Plate
import Rules

/// What the rules are fed with, asked of the ledger. Nothing of it is kept in memory, so that a restart changes nothing.
extension WellSequence {
    /// A view of a well as the ledger knows it, before `count` frames more.
    init(of frame: FrameID, in ledger: FrameLedger, before count: Int, _ settings: FramePipeline.Settings)
        throws
    {
        let rules = Settings(
            hysteresis: settings.hysteresis,
            frozenFrames: settings.frozenFrames,
            drift: settings.drift,
            evidence: settings.evidence
        )
        var history = History()
        let known = try ledger.history(
            of: frame.well,
            view: frame.view,
            run: frame.run,
            count: History.frames(rules)
        )
        (history.frames, history.isFaulty, history.newest) = (known.frames, known.isFaulty, known.newest)
        // Figures are in the spread of what a model calls normal: those of two models cannot be compared.
        history.looks = try ledger.appearances(
            of: frame.well,
            view: frame.view,
            run: frame.run,
            model: settings.judge.model,
            count: ChangeRule.window
        ).map {
            ChangeRule.Look(
                appearance: $0.appearance,
                terms: $0.terms,
                change: $0.change,
                evidence: $0.evidence
            )
        }
        if settings.drift, known.frames.count + count > ChangeRule.before {
            history.firstSeverities = try ledger.firstSeverities(
                of: frame.well,
                view: frame.view,
                run: frame.run,
                model: settings.judge.model,
                count: DriftRule.window
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
        self.init(history, settings: rules)
    }
}

extension PlateState {
    /// The wells of a run as the ledger knows them at the frame of an alarm.
    init(at frame: FrameID, announced: Set<PlatePattern>, in ledger: FrameLedger, rules: PlateRules) throws {
        let changes = try ledger.alarms(run: frame.run, events: [.shift, .drift])
        self.init(
            faulty: try ledger.wellStates(of: frame.run),
            shifts: changes.filter { $0.event == .shift }.map(\.frame),
            drifts: changes.filter { $0.event == .drift }.map(\.frame),
            announced: announced,
            at: frame.index,
            rules: rules
        )
    }

    /// The patterns of a run whose alarm stands.
    static func announced(of run: String, in ledger: FrameLedger) throws -> Set<PlatePattern> {
        Set(try ledger.plateAlarms(run: run).compactMap { $0.pattern.flatMap(PlatePattern.init(name:)) })
    }
}
