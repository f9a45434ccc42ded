import Ledger
import Plate
import Reporting
import Synchronization

/// Records when judging falls behind, so that frames are deferred, and when little room is left for results, and when that is over.
///
/// A judging thread asks it. What was told is in the ledger, so a restart tells nothing twice. What cannot be recorded is
/// tried again.
final class ConditionReporter: Sendable {
    /// A night of a full plate in masks and logs, with room to spare.
    static let spaceWanted = 2 << 30
    /// Room that ends the alarm, so that it does not come and go.
    private static let spaceAgain = 3 << 30
    private static let interval = Duration.seconds(1)

    private let ledger: FrameLedger
    private let load: @Sendable () -> Load
    private let freeBytes: @Sendable () -> Int?
    private let now: @Sendable () -> Timestamp
    /// When to look next.
    private let due: Mutex<ContinuousClock.Instant>
    private let started: ContinuousClock.Instant

    init(
        ledger: FrameLedger,
        load: @escaping @Sendable () -> Load,
        freeBytes: @escaping @Sendable () -> Int?,
        now: @escaping @Sendable () -> Timestamp,
        started: ContinuousClock.Instant = .now
    ) {
        (self.ledger, self.load, self.freeBytes, self.now) = (ledger, load, freeBytes, now)
        self.started = started
        due = Mutex(started)
    }

    /// Looks, if it is time to.
    func report(now clock: ContinuousClock.Instant = .now) {
        let isDue = due.withLock { due in
            guard clock >= due else { return false }
            due = clock + Self.interval
            return true
        }
        guard isDue else { return }
        // What keeps the ledger from being written is an obstacle that judging meets, too, and names.
        try? reportLoad(clock)
        try? reportSpace()
    }

    private func reportLoad(_ clock: ContinuousClock.Instant) throws {
        let load = load()
        let isTold = try ledger.lastEvent(of: [.behind, .behindClear]) == .behind
        if load.level == .deferring, !isTold {
            let lag = (load.lag / .milliseconds(100)).rounded() / 10
            try record(.behind, "\(load.waiting) frames wait, which takes \(lag) s; \(load.words)")
        } else if load.level < .deferring, isTold, clock - started >= Load.rest {
            // A start knows of no lag at first.
            try record(.behindClear, "\(load.waiting) frames wait")
        }
    }

    private func reportSpace() throws {
        guard let free = freeBytes() else { return }
        let isTold = try ledger.lastEvent(of: [.diskLow, .diskClear]) == .diskLow
        guard isTold ? free >= Self.spaceAgain : free < Self.spaceWanted else { return }
        try record(isTold ? .diskClear : .diskLow, "\(free >> 20) MiB are free")
    }

    private func record(_ kind: Event.Kind, _ reason: String) throws {
        let time = now()
        try ledger.record(events: [Event(kind, at: time, reason: reason, identity: time.iso8601)])
    }
}
