/// What a run of the daemon did.
package struct MonitorSummary: Sendable, Equatable {
    /// Frames by what became of them.
    package struct Counts: Sendable, Equatable {
        /// Files taken from the watched folders.
        package var seen = 0
        /// Frames judged.
        package var scored = 0
        /// Frames judged faulty.
        package var flagged = 0
        /// Frames judged after newer ones, because judging was behind.
        package var deferred = 0
        /// Frames that could not be judged.
        package var quarantined = 0
        /// Files that were not meant to be judged.
        package var skipped = 0
        /// Files that an earlier run had judged.
        package var known = 0

        /// Counts nothing.
        package init() {}

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
            deferred += other.deferred
            quarantined += other.quarantined
            skipped += other.skipped
            known += other.known
        }
    }

    /// Frames by what became of them.
    package let counts: Counts
    /// From the first file taken to the last frame judged.
    package let duration: Duration
    /// Half the frames were reported within this time of their completion on disk; `nil` for none.
    package let medianLatency: Duration?
    /// 99 in 100 frames were reported within this time of their completion on disk; `nil` for none.
    package let latency99: Duration?

    /// Frames scored per second, from the first file taken to the last frame judged.
    package var framesPerSecond: Double {
        duration > .zero ? Double(counts.scored) / (duration / .seconds(1)) : 0
    }
}
