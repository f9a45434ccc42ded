import Foundation
import Logging
import Plate
import Reporting
import Synchronization

/// Tells one receiver what waits for it, one message after another.
///
/// It remembers on disk what was told and how often it was tried, and in memory when to try again: a start tries at once.
final class Dispatcher {
    /// What a receiver may ask for.
    struct Settings: Sendable {
        /// Messages a minute.
        var limit = 10
        /// How long an event is tried to be delivered.
        var keep = Duration.seconds(168 * 3600)
    }

    /// Waiting events that are looked at together.
    private static let window = 1000
    /// A message that a receiver refuses so often is given up.
    static let patience = 5

    private let target: NotificationTarget
    private let settings: Settings
    private let source: String
    private let store: NotificationStore
    private let logger: Logger
    private let timeOfDay: @Sendable () -> Timestamp
    private let deliver: @Sendable (Message) -> DeliveryOutcome

    private var due: [String: ContinuousClock.Instant] = [:]
    private var attempts: [ContinuousClock.Instant] = []
    /// How often nobody answered in a row, and when to try again.
    private var failures = 0
    private var silentUntil: ContinuousClock.Instant?
    /// What was delivered, but could not be noted yet: it must not be sent again.
    private var unnoted: [Delivery] = []

    init(
        _ target: NotificationTarget,
        _ settings: Settings,
        source: String,
        store: NotificationStore,
        logger: Logger,
        timeOfDay: @escaping @Sendable () -> Timestamp = { .now },
        deliver: @escaping @Sendable (Message) -> DeliveryOutcome
    ) {
        (self.target, self.settings, self.source) = (target, settings, source)
        (self.store, self.logger, self.timeOfDay, self.deliver) = (store, logger, timeOfDay, deliver)
    }

    /// Why it is not told anything now; `nil` where it is.
    private(set) var trouble: String?

    /// Makes an attempt if one is due, and says when to look again; `nil` for when something comes.
    func step(now: ContinuousClock.Instant = .now) throws -> ContinuousClock.Instant? {
        if !unnoted.isEmpty {
            try store.end(unnoted, at: timeOfDay())
            unnoted = []
        }
        if let silentUntil, silentUntil > now { return silentUntil }
        attempts.removeAll { now - $0 >= DeliveryPlan.window }
        let waiting = try store.waiting(for: target.name, limit: Self.window)
        let plan = DeliveryPlan(limit: settings.limit)
        switch plan.next(waiting, due: due, attempts: attempts, now: now) {
        case .wait(let until): return until
        case .send(let deliveries, let id):
            try store.bind(deliveries, to: id)
            attempts.append(now)
            let outcome = deliver(Message(deliveries, id: id, source: source))
            try conclude(outcome, deliveries, id, now)
            return now
        }
    }

    private func conclude(
        _ outcome: DeliveryOutcome,
        _ deliveries: [Delivery],
        _ id: String,
        _ now: ContinuousClock.Instant
    ) throws {
        if case .unreachable(let reason) = outcome { return try fallSilent(reason, now) }
        reach()
        let failed = (deliveries.map(\.attempts).max() ?? 0) + 1
        switch outcome {
        case .unreachable: break
        case .delivered:
            due[id] = nil
            unnoted = deliveries
            try store.end(deliveries, at: timeOfDay())
            unnoted = []
        case .failed(let reason):
            due[id] = now + DeliveryPlan.delay(after: failed)
            try store.countAttempt(at: deliveries)
            log(.warning, "A message could not be delivered and is tried again", deliveries, reason)
            try giveUpOld(reason)
        case .refused(let reason):
            try refuse(deliveries, id, failed, reason, now)
        }
    }

    /// Nothing else is tried for a while: it would wait for the same.
    private func fallSilent(_ reason: String, _ now: ContinuousClock.Instant) throws {
        failures += 1
        silentUntil = now + DeliveryPlan.delay(after: failures)
        // It did not take part of the receiver's minute.
        attempts.removeLast()
        if trouble == nil {
            logger.error(
                "A receiver of events cannot be reached; they are kept and told later",
                metadata: ["receiver": "\(target.name)", "reason": "\(reason)"]
            )
        }
        trouble = reason
        try giveUpOld(reason)
    }

    private func reach() {
        if trouble != nil {
            logger.notice(
                "A receiver of events can be reached again",
                metadata: ["receiver": "\(target.name)"]
            )
        }
        (failures, silentUntil, trouble) = (0, nil, nil)
    }

    /// A message that is not wanted is tried some times, and must not hold up those behind it for ever.
    private func refuse(
        _ deliveries: [Delivery],
        _ id: String,
        _ attempts: Int,
        _ reason: String,
        _ now: ContinuousClock.Instant
    ) throws {
        guard attempts >= Self.patience else {
            due[id] = now + DeliveryPlan.delay(after: attempts)
            try store.countAttempt(at: deliveries)
            return log(.warning, "A receiver does not want a message; it is tried again", deliveries, reason)
        }
        due[id] = nil
        if deliveries.count > 1 || deliveries[0].event != id {
            // Its events may be wanted one by one.
            return try store.unbind(deliveries)
        }
        try store.end(deliveries, givenUp: reason, at: timeOfDay())
        log(.error, "A receiver does not want a message; it is given up", deliveries, reason)
    }

    private func giveUpOld(_ reason: String) throws {
        let now = timeOfDay()
        let count = try store.giveUp(for: target.name, takenBefore: now - settings.keep, reason, at: now)
        guard count > 0 else { return }
        logger.error(
            "Events could not be told for longer than `notify.keep` and are given up",
            metadata: ["receiver": "\(target.name)", "count": "\(count)", "reason": "\(reason)"]
        )
    }

    private func log(_ level: Logger.Level, _ words: String, _ deliveries: [Delivery], _ reason: String) {
        logger.log(
            level: level,
            "\(words)",
            metadata: [
                "receiver": "\(target.name)", "event": "\(deliveries[0].event)",
                "count": "\(deliveries.count)", "reason": "\(reason)",
            ]
        )
    }
}
