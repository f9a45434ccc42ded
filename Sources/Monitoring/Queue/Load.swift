import Plate

/// Whether judging keeps up with the microscope, and what is done where it does not.
///
/// The lag is the time that judging would take for all waiting frames, at its recent pace. A lag that lasts has every frame
/// judged by half of its patches. If that is not enough, every second frame of each well waits until no other frame does, too.
/// Each step is taken back when the lag has been small for `rest`, so that it does not flap; frames are judged whole again when
/// the pace of whole frames would do for as many as came lately. A value without a clock.
struct Load: Equatable, Sendable {
    /// What is done to keep up.
    enum Level: Int, Comparable, Sendable {
        /// Nothing: there is no need.
        case keepingUp
        /// Every frame is judged by half of its patches.
        case halfPatches
        /// Half of the frames wait for the other half as well; newest frames first.
        case deferring

        /// The lag that is too much for this level, and how long it has to last.
        var limit: Duration? {
            switch self {
            case .keepingUp: .seconds(2)
            case .halfPatches: .seconds(5)
            case .deferring: nil
            }
        }

        /// The lag below which the level may be left.
        var calm: Duration { self == .deferring ? .seconds(1) : .seconds(2) }

        var next: Level { Level(rawValue: rawValue + 1) ?? .deferring }
        var previous: Level { Level(rawValue: rawValue - 1) ?? .keepingUp }

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    struct Change: Equatable, Sendable {
        let before: Level
        let now: Level
        let load: Load
    }

    /// Where the frames that lay there at the start take longer than this, what comes now is judged before them.
    static let limit = Duration.seconds(5)
    /// How long the lag must be small before a level is left.
    static let rest = Duration.seconds(60)
    /// After so long whole frames are tried in any case, as this machine may have got less to do.
    private static let retry = Duration.seconds(600)
    /// The share of its time that judging may need for whole frames.
    private static let occupied = 0.9
    /// How much the last batch counts in the pace.
    private static let weight = 0.1

    let threads: Int
    private(set) var level = Level.keepingUp
    /// The time that judging would take for all waiting frames.
    private(set) var lag = Duration.zero
    /// Names that waited when the lag was weighed.
    private(set) var waiting = 0

    /// From handing a frame out to its end, of whole frames and of those judged by half; `nil` until one was judged.
    private var pace: Duration?
    private var halfPace: Duration?
    private var calmSince: ContinuousClock.Instant?
    private var behindSince: ContinuousClock.Instant?
    /// Frames that were judged since the lag is small.
    private var judgedInCalm = 0

    init(threads: Int) {
        precondition(threads > 0, "\(threads) threads")
        self.threads = threads
    }

    /// The level in an operator's words; empty while judging keeps up.
    var words: String {
        switch level {
        case .keepingUp: ""
        case .halfPatches: "frames judged by half of their patches"
        case .deferring: "frames judged by half of their patches, every second one deferred"
        }
    }

    /// So many frames of a batch came to their end in this time.
    mutating func judged(_ frames: Int, in time: Duration, tier: Tier = .full) {
        guard frames > 0 else { return }
        judgedInCalm += frames
        let each = time / frames
        func mixed(_ pace: Duration?) -> Duration {
            pace.map { $0 * (1 - Self.weight) + each * Self.weight } ?? each
        }
        if tier == .half { halfPace = mixed(halfPace) } else { pace = mixed(pace) }
    }

    /// The time that judging would take for so many frames, at its recent pace.
    func time(for frames: Int) -> Duration {
        let pace = level > .keepingUp ? halfPace ?? pace : pace
        return (pace ?? .zero) * frames / threads
    }

    /// Looks at how many frames wait; the answer is the step that is taken, if any.
    mutating func weigh(waiting: Int, now: ContinuousClock.Instant) -> Change? {
        self.waiting = waiting
        lag = time(for: waiting)
        let before = level
        behindSince = level.limit.map { lag >= $0 } == true ? behindSince ?? now : nil
        if lag >= level.calm { calmSince = nil }
        if let since = behindSince, let limit = level.limit, now - since >= limit {
            level = level.next
        } else if level > .keepingUp, lag < level.calm, mayRelax(now) {
            level = level.previous
        }
        guard level != before else { return nil }
        (behindSince, calmSince) = (nil, nil)
        return Change(before: before, now: level, load: self)
    }

    /// Whether the lag has been small for long enough, and the level below would do.
    private mutating func mayRelax(_ now: ContinuousClock.Instant) -> Bool {
        guard let since = calmSince else {
            (calmSince, judgedInCalm) = (now, 0)
            return false
        }
        let calm = now - since
        guard calm >= Self.rest, level == .halfPatches else { return calm >= Self.rest }
        let needed = (pace ?? .zero) * judgedInCalm / threads
        return needed < calm * Self.occupied || calm >= Self.retry
    }
}
