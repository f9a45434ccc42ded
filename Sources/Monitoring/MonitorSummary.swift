/// What a run of the daemon did.
public struct MonitorSummary: Sendable, Equatable {
    /// Frames by what became of them.
    public struct Counts: Sendable, Equatable {
        /// Files taken from the watched folders.
        public var seen = 0
        /// Frames judged.
        public var scored = 0
        /// Frames judged faulty.
        public var flagged = 0
        /// Frames judged with fewer passes than the model has, because judging was behind.
        public var reduced = 0
        /// Frames judged after newer ones, because judging was behind.
        public var deferred = 0
        /// Frames that could not be judged.
        public var quarantined = 0
        /// Files that were not meant to be judged.
        public var skipped = 0
        /// Files that an earlier run had judged.
        public var known = 0

        /// Counts nothing.
        public init() {}

        static func known(_ files: Int) -> Counts {
            var counts = Counts()
            counts.known = files
            return counts
        }

        static func skipped(_ files: Int) -> Counts {
            var counts = Counts()
            counts.skipped = files
            return counts
        }

        mutating func add(_ other: Counts) {
            seen += other.seen
            scored += other.scored
            flagged += other.flagged
            reduced += other.reduced
            deferred += other.deferred
            quarantined += other.quarantined
            skipped += other.skipped
            known += other.known
        }
    }

    /// Frames by what became of them.
    public let counts: Counts
    /// From the first file taken to the last frame judged.
    public let duration: Duration
    /// Half the frames were reported within this time of their completion on disk; `nil` for none.
    public let medianLatency: Duration?
    /// 99 in 100 frames were reported within this time of their completion on disk; `nil` for none.
    public let latency99: Duration?

    /// Frames scored per second, from the first file taken to the last frame judged.
    public var framesPerSecond: Double {
        duration > .zero ? Double(counts.scored) / (duration / .seconds(1)) : 0
    }
}
