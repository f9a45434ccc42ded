/// Whether judging keeps up with the microscope, and what is done where it does not.
///
/// The lag is the time that judging would take for all waiting frames, at its recent pace. Judging is behind when the lag
/// has been `limit` or more for as long as `limit`. Then every second frame of each well waits until no other frame does.
/// That ends when the lag has been below `calm` for all of `rest`, so that it does not flap. A value without a clock.
struct Load: Equatable, Sendable {
    /// What is done to keep up.
    enum Level: Int, Comparable, Sendable {
        /// Nothing: there is no need.
        case keepingUp
        /// Half of the frames wait for the other half; newest frames first.
        case halved

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    struct Change: Equatable, Sendable {
        let before: Level
        let now: Level
        let load: Load
    }

    /// The lag that is too much, and how long it has to last.
    static let limit = Duration.seconds(5)
    /// A lag that is no reason to defer frames.
    static let calm = Duration.seconds(1)
    /// How long the lag must be below `calm` before all frames are judged in order again.
    static let rest = Duration.seconds(60)
    /// How much the last batch counts in the pace.
    private static let weight = 0.1

    let threads: Int
    private(set) var level = Level.keepingUp
    /// The time that judging would take for all waiting frames.
    private(set) var lag = Duration.zero
    /// Names that waited when the lag was weighed.
    private(set) var waiting = 0

    /// From handing a frame out to its end; `nil` until one was judged.
    private var pace: Duration?
    private var calmSince: ContinuousClock.Instant?
    private var behindSince: ContinuousClock.Instant?

    init(threads: Int) {
        precondition(threads > 0, "\(threads) threads")
        self.threads = threads
    }

    /// The level in an operator's words; empty while judging keeps up.
    var words: String { level == .halved ? "every second frame deferred" : "" }

    /// So many frames of a batch came to their end in this time.
    mutating func judged(_ frames: Int, in time: Duration) {
        guard frames > 0 else { return }
        let each = time / frames
        pace = pace.map { $0 * (1 - Self.weight) + each * Self.weight } ?? each
    }

    /// The time that judging would take for so many frames, at its recent pace.
    func time(for frames: Int) -> Duration { (pace ?? .zero) * frames / threads }

    /// Looks at how many frames wait; the answer is the step that is taken, if any.
    mutating func weigh(waiting: Int, now: ContinuousClock.Instant) -> Change? {
        self.waiting = waiting
        lag = time(for: waiting)
        let before = level
        behindSince = lag >= Self.limit ? behindSince ?? now : nil
        calmSince = lag < Self.calm ? calmSince ?? now : nil
        if let since = behindSince, now - since >= Self.limit { level = .halved }
        if let since = calmSince, now - since >= Self.rest { level = .keepingUp }
        return level == before ? nil : Change(before: before, now: level, load: self)
    }
}
