import Ledger
import Plate
import Reporting

/// Looks at the whole plate when one of its wells turns or drifts, and says what these wells have in common.
///
/// Like the wells' own logs it remembers nothing: what was announced is in the ledger.
struct PlateReport {
    let settings: FramePipeline.Settings
    let environment: FramePipeline.Environment

    /// What is known of a plate's wells.
    private struct Wells {
        /// Which of them count as faulty.
        let faulty: [Well: Bool]
        /// Those that were told as drifting of late.
        let drifting: Set<Well>

        /// Which of them something happened to.
        var affected: [Well: Bool] {
            faulty.merging(drifting.map { ($0, true) }) { $0 || $1 }
        }
    }

    /// Announces what holds since a well turned or drifted, and what does not hold any more; advises to stop, or not any more.
    func carryOut(after turn: Alarm) throws {
        // Alone, so that two wells that turn at once do not announce the same.
        try environment.logs.alone {
            let wells = try wells(turn)
            try announce(settings.plateRules.patterns(wells.affected), wells, turn)
            try advise(wells.faulty, turn)
        }
    }

    /// Wells of a plate are imaged in step, so what was told of the same frames belongs together.
    private func wells(_ turn: Alarm) throws -> Wells {
        let drifts = try environment.ledger.alarms(run: turn.frame.run, events: [.drift])
        return Wells(
            faulty: try environment.ledger.wellStates(of: turn.frame.run),
            drifting: Set(
                drifts.filter { abs($0.frame.index - turn.frame.index) < ChangeRule.silence }.map(
                    \.frame.well
                )
            )
        )
    }

    /// Whether a standing alarm of the plate that still holds speaks for a well's, so that the journal need not hear of each.
    func speaks(for turn: Alarm) throws -> Bool {
        let standing = try announced(turn.frame.run)
        guard !standing.isEmpty else { return false }
        let wells = try wells(turn).affected
        return settings.plateRules.patterns(wells).contains { pattern in
            standing.contains(pattern)
                && settings.plateRules.members(of: pattern, among: wells.keys).contains(turn.frame.well)
        }
    }

    private func announced(_ run: String) throws -> Set<PlatePattern> {
        Set(
            try environment.ledger.plateAlarms(run: run).compactMap {
                $0.pattern.flatMap(PlatePattern.init(name:))
            }
        )
    }

    private func announce(_ patterns: [PlatePattern], _ wells: Wells, _ turn: Alarm) throws {
        let announced = try announced(turn.frame.run)
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

    private func sentence(_ pattern: PlatePattern, _ wells: Wells) -> String {
        let affected = wells.affected
        let members = settings.plateRules.members(of: pattern, among: affected.keys)
        let hit = members.filter { affected[$0] == true }
        let faulty = hit.count { wells.faulty[$0] == true }
        let what = faulty == hit.count ? "are faulty" : faulty == 0 ? "drift" : "are faulty or drift"
        let shown = hit.prefix(16).map(\.description).joined(separator: " ")
        let more = hit.count > 16 ? " and \(hit.count - 16) more" : ""
        return "\(hit.count) of its \(members.count) wells \(what) (\(shown)\(more)): \(pattern.advice)"
    }

    private func alarm(_ event: Alarm.Event, _ pattern: PlatePattern, _ turn: Alarm, reason: String?) -> Alarm
    {
        Alarm(
            time: turn.time,
            event: event,
            frame: turn.frame,
            model: turn.model,
            judgement: nil,
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
