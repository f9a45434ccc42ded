package import Plate
package import Rules

/// What a running daemon says of itself: what no ledger knows.
package struct DaemonFigures: Sendable, Codable {
    /// How long frames took from their completion on disk to their outcome.
    package struct Latency: Sendable, Codable {
        /// Frames that took at most so long.
        package struct Class: Sendable, Codable {
            /// The upper end in s.
            package let seconds: Double
            /// How many frames took at most that.
            package let frames: Int

            /// Gathers the two.
            package init(seconds: Double, frames: Int) { (self.seconds, self.frames) = (seconds, frames) }
        }

        /// Half the frames took at most this, in s; `nil` for none.
        package var median: Double?
        /// 99 in 100 frames took at most this, in s; `nil` for none.
        package var share99: Double?
        /// Rising classes.
        package var upTo: [Class] = []
        /// Frames counted.
        package var all = 0
        /// Sum over all frames, in s.
        package var sum = 0.0
    }

    /// The daemon's test of itself.
    package struct Canary: Sendable, Equatable, Codable {
        /// The last round, of this start or an earlier one.
        package let round: CanaryRound
        /// Why there is an alarm; `nil` where there is none.
        package let alarm: String?

        /// Gathers the two.
        package init(round: CanaryRound, alarm: String?) {
            (self.round, self.alarm) = (round, alarm)
        }
    }

    /// Something that keeps the daemon from its work.
    package struct Obstacle: Sendable, Equatable, Codable {
        /// What it is, a sentence.
        package let reason: String
        /// Since when it is in the way.
        package let since: Timestamp

        /// Gathers the two.
        package init(reason: String, since: Timestamp) { (self.reason, self.since) = (reason, since) }
    }

    /// A part of the daemon, or a folder, that was heard of or not.
    package struct Silence: Sendable, Equatable, Codable {
        /// Name of the part in logs, or path of the folder.
        package let name: String
        /// For how many s nothing was heard; 0 for a part that waits for another.
        package let silence: Double

        /// Gathers the two.
        package init(name: String, silence: Double) { (self.name, self.silence) = (name, silence) }
    }

    /// Frames since the daemon's start, by what became of them.
    package var counts = FrameCounts()
    /// What keeps the daemon from its work, for example an output that is full.
    package var obstacles: [Obstacle] = []
    /// Wells that wait because a frame of theirs cannot be written; a sentence each.
    package var troubles: [String] = []
    /// Names that wait.
    package var waiting = 0
    /// Of them, those put off.
    package var waitingDeferred = 0
    /// When the file was whole that waits longest; `nil` where none waits.
    package var waitingSince: Timestamp?
    /// The time that judging would take for all waiting frames, in s.
    package var lag = 0.0
    /// What is done to keep up, in words; empty where nothing is.
    package var measures = ""
    /// Frames judged per second over the last minute.
    package var framesPerSecond = 0.0
    /// From a frame's completion to its outcome.
    package var latency = Latency()
    /// Name of the model, the first digits of its file's SHA-256.
    package var model = ""
    /// What the network computes with.
    package var precision = ""
    /// Share of normal frames that the model's calibration lets be called faulty; `nil` where it does not say.
    package var falseAlarmRate: Double?
    /// Normal frames that the calibration's threshold was found from; `nil` where it does not say.
    package var calibrationFrames: Int?
    /// The daemon's test of itself; `nil` before its first round, and where there is none.
    package var canary: Canary?
    /// Whether what lay there at the start is listed.
    package var isReady = false
    /// Parts that have to get on with their work.
    package var parts: [Silence] = []
    /// Watched folders that do not answer; the others are watched and judged.
    package var silentFolders: [Silence] = []
    /// How long a part may be silent, in s; `nil` where no service manager watches.
    package var watchdog: Double?
    /// What the process takes of the machine.
    package var process: ProcessFigures?
    /// When the daemon began.
    package var started: Timestamp

    /// Knows when the daemon began.
    package init(started: Timestamp) {
        self.started = started
    }
}

extension DaemonFigures {
    /// How long a part may be silent where no service manager says it, in s.
    private static let patience = 60.0

    /// Whether every part gets on with its work.
    package var isAlive: Bool { parts.allSatisfy { $0.silence < watchdog ?? Self.patience } }

    /// What is wrong now, a sentence each; a well that waits is not.
    package var problems: [String] {
        let stuck = isAlive ? [] : parts.filter { $0.silence > 1 }
        return obstacles.map { "waits since \($0.since.iso8601): \($0.reason)" }
            + silentFolders.map { "no answer for \(Int(saturating: $0.silence)) s: \($0.name)" }
            + stuck.map { "stuck for \(Int(saturating: $0.silence)) s: \($0.name)" }
    }
}
