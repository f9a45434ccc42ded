/// What came of a simulated plate.
public struct PlateSummary: Sendable, Equatable {
    /// Frames in closed files.
    public let frames: Int
    /// Those of them that show a fault.
    public let faulty: Int
    /// Frames of the whole plate.
    public let expected: Int
    /// From the first frame's time to the last file's end, in s.
    public let seconds: Double
    /// Frames a second that were asked for.
    public let askedRate: Double
    /// How late the latest frame was, in s.
    public let greatestLateness: Double
    let scaledInterval: Double

    /// Whether all frames came, none later than a quarter of the interval (of half a second, if that is more).
    public var heldRate: Bool { frames == expected && greatestLateness <= max(scaledInterval / 4, 0.5) }
    /// Whether it ended before its time.
    public var endedEarly: Bool { frames < expected }
    /// Frames a second that were written.
    public var rate: Double { seconds > 0 ? Double(frames) / seconds : 0 }
}
