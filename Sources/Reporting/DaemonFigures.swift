package import Plate
package import Rules

/// What a running daemon says of itself: what no ledger knows.
package struct DaemonFigures: Sendable {
    /// How long frames took from their completion on disk to their outcome.
    package struct Latency: Sendable {
        /// Half the frames took at most this, in s; `nil` for none.
        package var median: Double?
        /// 99 in 100 frames took at most this, in s; `nil` for none.
        package var share99: Double?
        /// Upper ends of classes in s, and how many frames took at most that: rising.
        package var upTo: [(seconds: Double, frames: Int)] = []
        /// Frames counted.
        package var all = 0
        /// Sum over all frames, in s.
        package var sum = 0.0
    }

    /// The daemon's test of itself.
    package struct Canary: Sendable, Equatable {
        /// The last round, of this start or an earlier one.
        package let round: CanaryRound
        /// Why there is an alarm; `nil` where there is none.
        package let alarm: String?

        /// Gathers the two.
        package init(round: CanaryRound, alarm: String?) {
            (self.round, self.alarm) = (round, alarm)
        }
    }

    /// Frames since the daemon's start, by what became of them.
    package var counts = FrameCounts()
    /// What keeps the daemon from its work, for example an output that is full; a sentence each.
    package var obstacles: [String] = []
    /// Wells that wait because a frame of theirs cannot be written; a sentence each.
    package var troubles: [String] = []
    /// Names that wait.
    package var waiting = 0
    /// Of them, those put off.
    package var waitingDeferred = 0
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
    /// The daemon's test of itself; `nil` before its first round, and where there is none.
    package var canary: Canary?
    /// Whether what lay there at the start is listed.
    package var isReady = false
    /// Parts that have to get on with their work: the name in logs, and the s since it last did; 0 while it waits for another.
    package var parts: [(name: String, silence: Double)] = []
    /// Watched folders that do not answer, and for how many s; the others are watched and judged.
    package var silentFolders: [(folder: String, silence: Double)] = []
    /// How long a part may be silent, in s; `nil` where no service manager watches.
    package var watchdog: Double?
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
}
