import Ledger
import Logging
import Plate
import Reporting
import Rules

/// Writes what follows for the plate when one of its wells becomes faulty or normal, shifts or drifts (`PlateState`).
///
/// Like the wells' own logs it remembers nothing: what was announced is in the ledger.
struct PlateReport {
    /// The events of a well that may change what its run's wells have in common.
    static let causes: Set<Alarm.Event> = [.onset, .clear, .shift, .drift]
    /// Runs that frames may have come of when a crash came.
    private static let recentRuns = 4

    let settings: FramePipeline.Settings
    let environment: FramePipeline.Environment

    /// Makes up for what a crash kept from being told, or advised, of the runs recorded last.
    func catchUp() throws {
        for run in try environment.ledger.runs().prefix(Self.recentRuns) {
            let alarms = try environment.ledger.alarms(run: run.run, events: Self.causes)
            if let last = alarms.last { try carryOut(after: last) }
            try AdviceReport(settings: settings, environment: environment).carryOut(after: alarms)
        }
    }

    /// Announces the patterns that hold since a well's alarm, and clears those that do not hold any more.
    func carryOut(after alarm: Alarm) throws {
        // Alone, so that two wells that change at once do not announce the same.
        try environment.logs.alone {
            let announced = try environment.ledger.plateAlarms(run: alarm.frame.run)
            let state = try state(at: alarm.frame, announced: announced)
            try announce(state.transitions, after: alarm)
        }
    }

    /// Whether an alarm of the plate that stands and still holds speaks for a well's, so that the journal is not told of each.
    func speaks(for alarm: Alarm) throws -> Bool {
        let announced = try environment.ledger.plateAlarms(run: alarm.frame.run)
        guard !announced.isEmpty else { return false }
        return try state(at: alarm.frame, announced: announced).speaks(for: alarm.frame.well)
    }

    private func state(at frame: FrameID, announced: [Alarm]) throws -> PlateState {
        try PlateState(at: frame, announced: announced, in: environment.ledger, rules: settings.plateRules)
    }

    private func announce(_ transitions: [PlateState.Transition], after cause: Alarm) throws {
        let alarms = transitions.map { transition in
            switch transition {
            case .begins(let pattern, let reason): alarm(.plate, pattern, after: cause, reason: reason)
            case .ends(let pattern):
                // Without it, two that end on one frame would be the same alarm.
                alarm(.plateClear, pattern, after: cause, reason: "\(pattern.name) does not hold any more")
            }
        }
        guard !alarms.isEmpty else { return }
        var log = try AlarmLog(plateOf: cause.frame.run, tree: environment.tree)
        try log.append(alarms)
        for alarm in alarms { environment.journal.report(alarm) }
        try environment.ledger.record([], alarms: alarms, events: alarms.compactMap { Event($0) })
    }

    private func alarm(
        _ event: Alarm.Event,
        _ pattern: PlatePattern,
        after cause: Alarm,
        reason: String
    ) -> Alarm {
        Alarm(
            time: cause.time,
            event: event,
            frame: cause.frame,
            model: cause.model,
            pattern: pattern.name,
            reason: reason
        )
    }
}
