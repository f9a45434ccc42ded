import Ledger
import Plate
import Reporting

/// Looks at the whole plate when one of its wells turns, and says what the faulty ones have in common.
///
/// Like the wells' own logs it remembers nothing: what was announced is in the ledger.
struct PlateReport {
    let settings: FramePipeline.Settings
    let environment: FramePipeline.Environment

    /// Announces what holds since a well turned, and what does not hold any more; advises to stop, or not any more.
    func carryOut(after turn: Alarm) throws {
        // Alone, so that two wells that turn at once do not announce the same.
        try environment.logs.alone {
            let wells = try environment.ledger.wellStates(of: turn.frame.run)
            try announce(settings.plateRules.patterns(wells), wells, turn)
            try advise(wells, turn)
        }
    }

    /// Whether a standing alarm of the plate speaks for this well, so that the journal need not hear of each.
    func speaks(for frame: FrameID) throws -> Bool {
        try environment.ledger.plateAlarms(run: frame.run).contains { alarm in
            guard let pattern = alarm.cause.flatMap(PlatePattern.init(name:)) else { return false }
            return !settings.plateRules.members(of: pattern, among: [frame.well]).isEmpty
        }
    }

    private func announce(_ patterns: [PlatePattern], _ wells: [Well: Bool], _ turn: Alarm) throws {
        let announced = Set(
            try environment.ledger.plateAlarms(run: turn.frame.run).compactMap {
                $0.cause.flatMap(PlatePattern.init(name:))
            }
        )
        let alarms =
            announced.subtracting(patterns).sorted().map { alarm(.plateClear, $0, turn, reason: nil) }
            + patterns.filter { !announced.contains($0) }.map {
                alarm(.plate, $0, turn, reason: sentence($0, wells))
            }
        guard !alarms.isEmpty else { return }
        var log = try AlarmLog(plateOf: turn.frame.run, tree: environment.tree)
        try log.append(alarms)
        for alarm in alarms { environment.journal.report(alarm) }
        try environment.ledger.record([], alarms: alarms)
    }

    private func sentence(_ pattern: PlatePattern, _ wells: [Well: Bool]) -> String {
        let members = settings.plateRules.members(of: pattern, among: wells.keys)
        let faulty = members.filter { wells[$0] == true }
        let shown = faulty.prefix(16).map(\.description).joined(separator: " ")
        let more = faulty.count > 16 ? " and \(faulty.count - 16) more" : ""
        return "\(faulty.count) of its \(members.count) wells are faulty (\(shown)\(more)): \(pattern.advice)"
    }

    private func alarm(_ event: Alarm.Event, _ pattern: PlatePattern, _ turn: Alarm, reason: String?) -> Alarm
    {
        Alarm(
            time: turn.time,
            event: event,
            frame: turn.frame,
            model: turn.model,
            finding: nil,
            pattern: pattern.name,
            reason: reason,
            latencyMilliseconds: nil
        )
    }

    private func advise(_ wells: [Well: Bool], _ turn: Alarm) throws {
        let faulty = wells.values.count { $0 }
        let isAdvised =
            settings.stopShare > 0 && wells.count >= Self.fewestWells
            && Double(faulty) >= settings.stopShare * Double(wells.count)
        let advice = StopAdvice(tree: environment.tree, run: turn.frame.run)
        if isAdvised {
            try advice.give("\(turn.time.iso8601) \(faulty) of \(wells.count) wells are faulty")
        } else {
            try advice.withdraw()
        }
    }

    /// Half of two wells is one: no reason to stop a plate.
    private static let fewestWells = 4
}
