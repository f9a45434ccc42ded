/// What came of a simulated plate.
package struct PlateSummary: Sendable, Equatable {
    /// Frames in closed files.
    package let frames: Int
    /// Those of them that show a fault.
    package let faulty: Int
    /// Frames of the whole plate.
    package let expected: Int
    /// From the first frame's time to the last file's end, in s.
    package let seconds: Double
    /// Frames a second that were asked for.
    package let askedRate: Double
    /// How late the latest frame was, in s.
    package let greatestLateness: Double
    let scaledInterval: Double

    /// Whether all frames came, none later than a quarter of the interval (of half a second, if that is more).
    package var heldRate: Bool { frames == expected && greatestLateness <= max(scaledInterval / 4, 0.5) }
    /// Whether it ended before its time.
    package var endedEarly: Bool { frames < expected }
    /// Frames a second that were written.
    package var rate: Double { seconds > 0 ? Double(frames) / seconds : 0 }
}
