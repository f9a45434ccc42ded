import Digests
import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Rules

/// Records the advice that follows from a run's faulty wells, and ends advice whose reason is gone (`AdviceRules`).
///
/// It remembers nothing: the ledger has the wells and the advice that stands. `AdviceKeeper` keeps the files in step.
struct AdviceReport {
    /// The events of a well after which its run is looked at.
    static let causes: Set<Alarm.Event> = [.onset, .clear]

    let settings: FramePipeline.Settings
    let environment: FramePipeline.Environment

    /// Gives and ends advice after the alarms of a well's batch.
    func carryOut(after alarms: [Alarm]) throws {
        guard let last = alarms.last(where: { Self.causes.contains($0.event) || $0.event == .fault }) else {
            return
        }
        // Alone, so that two wells that change at once do not give the same advice.
        try environment.logs.alone {
            let run = last.frame.run
            let stored = try environment.ledger.advice(run: run, .standing)
            // Where the answers cannot be read, the keeper says so; that is no reason not to judge.
            let standing = (try? environment.answers.following(stored)) ?? stored
            let isChange = alarms.contains { Self.causes.contains($0.event) }
            let moment = AdviceRules.Moment(
                index: last.frame.index,
                well: last.frame.well,
                isFaulty: alarms.contains {
                    $0.frame == last.frame && ($0.event == .fault || $0.event == .onset)
                }
            )
            guard try isChange || isDue(standing, at: moment, of: run) else { return }
            let standings = try environment.ledger.standings(of: run)
            let onsets = try environment.ledger.onsets(of: run)
            let faulty = standings.filter { $0.value.contains(where: \.isFaulty) }.map { well, views in
                let onset = onsets[well] ?? (last.frame.index, .unknown)
                let isClearing = !views.isFaultyNow
                return (
                    well,
                    AdviceRules.FaultyWell(onset: onset.frame, cause: onset.cause, isClearing: isClearing)
                )
            }
            let changes = settings.adviceRules.changes(
                imaged: Array(standings.keys),
                faulty: Dictionary(uniqueKeysWithValues: faulty),
                standing: standing,
                at: moment
            )
            try record(changes, after: last)
        }
    }

    private func isDue(_ standing: [Advice], at moment: AdviceRules.Moment, of run: String) throws -> Bool {
        try settings.adviceRules.isDue(standing: standing, at: moment) {
            try environment.ledger.lastOnset(of: moment.well, run: run)
        }
    }

    private func record(_ changes: AdviceRules.Changes, after alarm: Alarm) throws {
        var events: [Event] = []
        let over = changes.over.map { advice in
            let next = changes.given.first { $0.subject == .plate || $0.subject == advice.subject }
            let reason =
                next.map { "the advice to \($0.action.rawValue) took its place" } ?? "its reason is gone"
            let answer = Advice.Answer(.expired, by: Advice.Answer.daemon, note: reason, at: alarm.time)
            var advice = advice
            // Whoever has acknowledged it may still say what became of it. What the log does not take now, the keeper adds.
            if advice.state == .pending {
                advice = (try? environment.answers.answer(advice, answer).advice) ?? advice
            }
            advice.isOver = true
            events += [Event(endOf: advice, because: reason, at: alarm.time)].compactMap(\.self)
            return advice
        }
        let given = changes.given.map { advice($0, after: alarm) }
        events += given.compactMap { Event($0) }
        for event in events { environment.logger.warning("\(event.message)") }
        try environment.ledger.record([], events: events, advice: over + given)
        // What cannot be written now is left to the keeper, and holds up no frame.
        for advice in over + given { try? AdviceRecord.write(advice, to: environment.tree) }
    }

    /// Its id is the same where the same alarm is looked at again, as after a crash.
    private func advice(_ proposal: AdviceRules.Proposal, after alarm: Alarm) -> Advice {
        let wells = proposal.wells.map(\.description).joined(separator: " ")
        let identity = [
            alarm.frame.run, proposal.action.rawValue, wells, "\(alarm.frame.index)", alarm.time.iso8601,
        ]
        return Advice(
            id: "adv_" + Digest.sha256(Data(identity.joined(separator: "\n").utf8)).prefix(16),
            run: alarm.frame.run,
            action: proposal.action,
            wells: proposal.wells,
            reason: proposal.reason,
            since: alarm.time,
            frame: alarm.frame.index
        )
    }
}
