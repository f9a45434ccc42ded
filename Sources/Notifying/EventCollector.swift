import Foundation
import Ledger
import Logging
import Plate
import Reporting

/// Takes events from the ledger for each receiver, and notices a daemon that is gone.
///
/// It only reads the ledger, and judging does not notice. A receiver that is new is told what comes from then on.
final class EventCollector {
    /// How long a daemon may be away before it counts as gone; the service manager starts it again within seconds.
    private static let patience = Duration.seconds(60)

    private let tree: OutputTree
    private let targets: [NotificationTarget]
    private let keep: Duration
    private let store: NotificationStore
    private let logger: Logger
    private let timeOfDay: @Sendable () -> Timestamp
    /// Whether a receiver that is new has missed nothing, as there was no ledger at the start.
    private let isFromBeginning: Bool
    private var ledger: FrameLedger?
    private var trouble: String?
    private var goneSince: ContinuousClock.Instant?

    init(
        tree: OutputTree,
        targets: [NotificationTarget],
        keep: Duration,
        store: NotificationStore,
        isFromBeginning: Bool,
        logger: Logger,
        timeOfDay: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        (self.tree, self.targets, self.keep, self.store) = (tree, targets, keep, store)
        (self.isFromBeginning, self.logger, self.timeOfDay) = (isFromBeginning, logger, timeOfDay)
    }

    /// Takes what came since the last time; whether there was anything.
    func collect(now: ContinuousClock.Instant = .now) throws -> Bool {
        do {
            let ledger = try openLedger()
            if trouble != nil { logger.notice("The ledger can be read again") }
            trouble = nil
            let hasNews = try take(from: ledger)
            return try takeAbsence(of: ledger, now) || hasNews
        } catch let error as LedgerError {
            ledger = nil
            // A daemon that never ran has none.
            if trouble != error.detail, error.code != .notMade,
                FileManager.default.fileExists(atPath: tree.ledger)
            {
                logger.warning(
                    "The ledger cannot be read; events are told when it can be",
                    metadata: ["reason": "\(error)"]
                )
                trouble = error.detail
            }
            return false
        }
    }

    private func openLedger() throws -> FrameLedger {
        if let ledger, ledger.isInPlace { return ledger }
        let opened = try FrameLedger(reading: tree.ledger)
        for target in targets {
            let position = try store.position(of: target.name)
            if let position, position.number > 0 {
                // Another ledger counts anew; what was taken from the one before is known by its id.
                if try !opened.hasEvent(position.event, number: position.number) {
                    try store.setPosition(of: target.name, number: 0, event: "")
                }
            } else if position == nil {
                let last = isFromBeginning ? 0 : try opened.lastEventNumber()
                let event = try opened.events(after: last - 1, limit: 1).first?.event.id ?? ""
                try store.setPosition(of: target.name, number: last, event: last > 0 ? event : "")
            }
        }
        ledger = opened
        return opened
    }

    private func take(from ledger: FrameLedger) throws -> Bool {
        var hasNews = false
        let now = timeOfDay()
        for target in targets {
            while let position = try store.position(of: target.name),
                let last = try take(for: target, from: ledger, after: position.number, now, &hasNews)
            {
                guard last > position.number else { break }
            }
        }
        return hasNews
    }

    /// Takes the next events, and says which one was the last; `nil` where there is none.
    private func take(
        for target: NotificationTarget,
        from ledger: FrameLedger,
        after number: Int64,
        _ now: Timestamp,
        _ hasNews: inout Bool
    ) throws -> Int64? {
        let events = try ledger.events(after: number)
        guard let last = events.last else { return nil }
        let wanted = events.map(\.event).filter { event in
            target.events.contains(event.kind) && now - event.time <= keep && Self.isWhole(event)
        }
        try store.take(wanted, for: target.name, passed: last, at: now)
        hasNews = hasNews || !wanted.isEmpty
        return last.number
    }

    /// Somebody else may have changed the row.
    private static func isWhole(_ event: Event) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(event.data.utf8))) is [String: Any]
    }

    /// A session that has no end, and no daemon: it was killed, or crashed, and does not come back.
    private func takeAbsence(of ledger: FrameLedger, _ now: ContinuousClock.Instant) throws -> Bool {
        guard !OutputLock.isHeld(tree), let started = try ledger.startOfOpenSession() else {
            goneSince = nil
            return false
        }
        let since = goneSince ?? now
        goneSince = since
        guard now - since >= Self.patience else { return false }
        let event = Event(
            .failed,
            at: timeOfDay(),
            reason: "it is not running, and nobody has stopped it: it was killed, crashed, or lost power",
            identity: "gone \(started.iso8601)"
        )
        for target in targets where target.events.contains(.failed) {
            try store.take([event], for: target.name, at: timeOfDay())
        }
        // Told once; looked at again as it may come back.
        goneSince = now
        return true
    }
}
