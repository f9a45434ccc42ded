package import Plate

/// What a run of the daemon did.
package struct MonitorSummary: Sendable, Equatable {
    /// Frames by what became of them.
    package let counts: FrameCounts
    /// From the first file taken to the last frame judged.
    package let duration: Duration
    /// Half the frames were reported within this time of their completion on disk; `nil` for none.
    package let medianLatency: Duration?
    /// 99 in 100 frames were reported within this time of their completion on disk; `nil` for none.
    package let latency99: Duration?

    /// Frames judged per second, from the first file taken to the last frame judged.
    package var framesPerSecond: Double {
        duration > .zero ? Double(counts.judged) / (duration / .seconds(1)) : 0
    }
}
