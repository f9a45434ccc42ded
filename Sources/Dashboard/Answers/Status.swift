import Foundation
import Plate
import Reporting
import Rules

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
            let halves: Int
            let deferred: Int
            let waiting: Int
            /// When the file was whole that waits longest.
            let waitingSince: String?
            let lag: Double
            let measures: String
            let framesPerSecond: Double
            let latencyMedian: Double?
            let latencyShare99: Double?
            let model: String
            let precision: String
            let falseAlarmRate: Double?
            /// Normal frames that the calibration's threshold was found from.
            let calibrationFrames: Int?
            let isReady: Bool
            let isAlive: Bool
            /// What keeps the daemon, or a well, from going on; a sentence each.
            let obstacles: [String]
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
        /// What the daemon said of itself last.
        let daemon: Daemon?
        /// Why it is not known how the daemon is; `nil` while it reports, and where there is none.
        let daemonGone: String?
        /// Bytes that the output's file system has left, and how many it has.
        let diskFree: Int64?
        let diskSize: Int64?
        let canDecide: Bool
        /// Who decides here, unless they give another name; missing where nobody is known.
        let reviewer: String?
        let version: String
    }
}

extension Answer.Status {
    private static let version = "v1"

    init(_ tree: OutputTree, _ standing: StatusFile.Standing?, canDecide: Bool, reviewer: String = "") {
        var disk = statvfs()
        let isKnown = unsafe statvfs(tree.root, &disk) == 0
        switch standing {
        case nil: (daemon, daemonGone) = (nil, nil)
        case .alive(let figures): (daemon, daemonGone) = (Daemon(figures, isAlive: figures.isAlive), nil)
        case .gone(let reason, let last):
            (daemon, daemonGone) = (last.map { Daemon($0, isAlive: false) }, reason)
        }
        now = Timestamp.now.iso8601
        diskFree =
            isKnown ? Int64(clamping: UInt64(disk.f_bavail).saturatingMultiply(UInt64(disk.f_frsize))) : nil
        diskSize =
            isKnown ? Int64(clamping: UInt64(disk.f_blocks).saturatingMultiply(UInt64(disk.f_frsize))) : nil
        self.canDecide = canDecide
        self.reviewer = reviewer.isEmpty ? nil : reviewer
        version = Self.version
    }
}

extension Answer.Status.Daemon {
    init(_ figures: DaemonFigures, isAlive: Bool) {
        started = figures.started.iso8601
        seen = figures.counts.seen
        known = figures.counts.known
        judged = figures.counts.judged
        flagged = figures.counts.flagged
        quarantined = figures.counts.quarantined
        skipped = figures.counts.skipped
        halves = figures.counts.halves
        deferred = figures.counts.deferred
        waiting = figures.waiting
        waitingSince = figures.waitingSince?.iso8601
        lag = figures.lag
        measures = figures.measures
        framesPerSecond = figures.framesPerSecond
        latencyMedian = figures.latency.median
        latencyShare99 = figures.latency.share99
        model = figures.model
        precision = figures.precision
        falseAlarmRate = figures.falseAlarmRate
        calibrationFrames = figures.calibrationFrames
        isReady = figures.isReady
        self.isAlive = isAlive
        obstacles =
            figures.obstacles.map(\.reason) + figures.troubles
            + figures.silentFolders.map { "\($0.name) does not answer." }
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
