import Plate
import Reporting

extension Answer {
    /// The header of the page: the daemon's own figures, and the disk's.
    struct Status: Codable, Sendable {
        /// Sums since the daemon's start.
        struct Daemon: Codable, Sendable {
            let started: String
            let seen: Int
            let known: Int
            let judged: Int
            let flagged: Int
            let quarantined: Int
            let skipped: Int
            let deferred: Int
            let waiting: Int
            let lag: Double
            let measures: String
            let framesPerSecond: Double
            let latencyMedian: Double?
            let latencyShare99: Double?
            let model: String
            let precision: String
            let falseAlarmRate: Double?
            let isReady: Bool
            let isAlive: Bool
            let canary: Canary?
        }

        /// What the daemon's test of itself found last.
        struct Canary: Codable, Sendable {
            /// The same of one class of faults.
            struct Tally: Codable, Sendable {
                let cause: String
                let copies: Int
                let found: Int
            }

            let time: String
            let copies: Int
            let found: Int
            let sensitivity: Double?
            let causes: [Tally]
            /// Why there is an alarm.
            let alarm: String?
        }

        let now: String
        let daemon: Daemon?
        /// Bytes that the output's file system has left, and how many it has.
        let diskFree: Int64?
        let diskSize: Int64?
        let canDecide: Bool
        let version: String
    }
}

extension Answer.Status.Daemon {
    init(_ figures: DaemonFigures) {
        started = figures.started.iso8601
        seen = figures.counts.seen
        known = figures.counts.known
        judged = figures.counts.judged
        flagged = figures.counts.flagged
        quarantined = figures.counts.quarantined
        skipped = figures.counts.skipped
        deferred = figures.counts.deferred
        waiting = figures.waiting
        lag = figures.lag
        measures = figures.measures
        framesPerSecond = figures.framesPerSecond
        latencyMedian = figures.latency.median
        latencyShare99 = figures.latency.share99
        model = figures.model
        precision = figures.precision
        falseAlarmRate = figures.falseAlarmRate
        isReady = figures.isReady
        isAlive = figures.isAlive
        canary = figures.canary.map { Answer.Status.Canary($0) }
    }
}

extension Answer.Status.Canary {
    init(_ canary: DaemonFigures.Canary) {
        time = canary.round.time.iso8601
        copies = canary.round.copies
        found = canary.round.found
        sensitivity = canary.round.sensitivity
        causes = canary.round.tallies.map {
            Tally(cause: $0.cause.rawValue, copies: $0.copies, found: $0.found)
        }
        alarm = canary.alarm
    }
}
