public import Plate

/// What a running daemon says of itself: what no ledger knows.
public struct DaemonFigures: Sendable, Equatable {
    /// Sums since the daemon's start.
    public struct Counts: Sendable, Equatable {
        /// Files taken from the watched folders.
        public var seen = 0
        /// Files that an earlier run had judged.
        public var known = 0
        /// Frames judged.
        public var judged = 0
        /// Frames judged faulty.
        public var flagged = 0
        /// Frames judged with fewer passes.
        public var reduced = 0
        /// Frames judged after newer ones.
        public var deferred = 0
        /// Frames that could not be judged.
        public var quarantined = 0
        /// Files that were not meant to be judged.
        public var skipped = 0

        /// Counts nothing.
        public init() {}
    }

    /// How long frames took from their completion on disk to their outcome.
    public struct Latency: Sendable, Equatable {
        /// Half the frames took at most this, in s; `nil` for none.
        public var median: Double?
        /// 99 in 100 frames took at most this, in s; `nil` for none.
        public var share99: Double?
        /// Upper ends of classes in s, and how many frames took at most that: rising.
        public var upTo: [(seconds: Double, frames: Int)] = []
        /// Frames counted.
        public var all = 0
        /// Sum over all frames, in s.
        public var sum = 0.0

        /// Knows of no frame.
        public init() {}

        /// Equal in every figure.
        public static func == (left: Latency, right: Latency) -> Bool {
            left.median == right.median && left.share99 == right.share99 && left.sum == right.sum
                && left.all == right.all && left.upTo.elementsEqual(right.upTo) { $0 == $1 }
        }
    }

    /// A part of the daemon and how long it has not been heard of, in s.
    public struct Part: Sendable, Equatable {
        /// What it is called in logs.
        public let name: String
        /// Seconds since it last got on with its work; 0 while it waits for another.
        public let silence: Double

        /// Gathers the two.
        public init(name: String, silence: Double) {
            self.name = name
            self.silence = silence
        }
    }

    /// What the daemon's test of itself says.
    public struct Canary: Sendable, Equatable {
        /// The last round, of this start or one before.
        public let round: CanaryRound
        /// Why there is an alarm; `nil` where there is none.
        public let alarm: String?

        /// Gathers the two.
        public init(round: CanaryRound, alarm: String?) {
            (self.round, self.alarm) = (round, alarm)
        }
    }

    /// Sums since the start.
    public var counts = Counts()
    /// Names that wait.
    public var waiting = 0
    /// Of them, those put off.
    public var waitingDeferred = 0
    /// How long judging would take for what waits, in s.
    public var lag = 0.0
    /// How much is done for a frame now.
    public var tier = Tier.full
    /// What is done to keep up, in words; empty where nothing is.
    public var measures = ""
    /// Frames judged per second over the last minute.
    public var framesPerSecond = 0.0
    /// From a frame's completion to its outcome.
    public var latency = Latency()
    /// Name of the model, the first digits of its file's SHA-256.
    public var model = ""
    /// What the network computes with.
    public var precision = ""
    /// Share of normal frames that the model's calibration lets be called faulty; `nil` where it does not say.
    public var falseAlarmRate: Double?
    /// The daemon's test of itself; `nil` before its first round, and where there is none.
    public var canary: Canary?
    /// Whether what lay there at the start is listed.
    public var isReady = false
    /// Parts that have to get on with their work.
    public var parts: [Part] = []
    /// How long a part may be silent, in s; `nil` where no service manager watches.
    public var watchdog: Double?
    /// When the daemon began.
    public var started: Timestamp

    /// Knows when the daemon began.
    public init(started: Timestamp) {
        self.started = started
    }
}

extension DaemonFigures {
    /// How long a part may be silent where no service manager says it, in s.
    private static let patience = 60.0

    /// Whether every part gets on with its work.
    public var isAlive: Bool { parts.allSatisfy { $0.silence < watchdog ?? Self.patience } }
}
