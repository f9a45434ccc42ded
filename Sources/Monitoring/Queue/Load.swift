import Plate

/// Whether judging keeps up with the microscope, and what is done where it does not.
///
/// The lag is how long judging would take for all that waits, at its pace of late. A lag of `limit` that lasts for as
/// long is being behind: then fewer passes are made over each frame, if the model allows it, and if that does not make
/// up within `patience`, every second frame of each well waits until no other does. A step is taken back when the lag
/// was below `calm` for all of `rest`, so that the tier does not flap. A value without a clock.
struct Load: Equatable, Sendable {
    /// What is done to keep up, in this order.
    enum Level: Int, Comparable, Sendable {
        /// Nothing: there is no need.
        case keepingUp
        /// Fewer passes over each frame; newest frames first.
        case reduced
        /// Besides, half of the frames wait for the other half.
        case halved

        static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// A step from one level to another.
    struct Change: Equatable, Sendable {
        let before: Level
        let now: Level
        /// The state after it.
        let load: Load
    }

    /// The lag that is too much, and how long it has to last.
    static let limit = Duration.seconds(5)
    /// The lag that is none to speak of.
    static let calm = Duration.seconds(1)
    /// How long a step may take to show that it helps.
    static let patience = Duration.seconds(15)
    /// How long there must be no lag to speak of before a step is taken back.
    static let rest = Duration.seconds(60)
    /// How much the last batch counts in the pace.
    private static let weight = 0.1

    /// Threads that judge.
    let threads: Int
    /// Whether the judge can do with fewer passes.
    var canReduce: Bool
    /// What is done now.
    private(set) var level = Level.keepingUp
    /// How long judging would take for all that waits.
    private(set) var lag = Duration.zero
    /// Names that waited when the lag was weighed.
    private(set) var waiting = 0

    /// From handing a frame out to its end; `nil` until one was judged.
    private var pace: Duration?
    private var calmSince: ContinuousClock.Instant?
    private var behindSince: ContinuousClock.Instant?
    /// What the lag was when `behindSince` began.
    private var firstLag = Duration.zero

    init(threads: Int, canReduce: Bool = false) {
        precondition(threads > 0, "\(threads) threads")
        self.threads = threads
        self.canReduce = canReduce
    }

    /// How much is done for a frame that is not deferred.
    var tier: Tier { level > .keepingUp && canReduce ? .reduced : .full }

    /// The level in an operator's words.
    var words: String {
        let measures = [
            tier == .reduced ? "tier reduced" : nil, level == .halved ? "every second frame deferred" : nil,
        ]
        return measures.compactMap(\.self).joined(separator: ", ")
    }

    /// So many frames of a batch came to their end in this time.
    mutating func judged(_ frames: Int, in time: Duration) {
        guard frames > 0 else { return }
        let each = time / frames
        pace = pace.map { $0 * (1 - Self.weight) + each * Self.weight } ?? each
    }

    /// How long judging would take for so many frames, at its pace of late.
    func time(for frames: Int) -> Duration { (pace ?? .zero) * frames / threads }

    /// Looks at how many frames wait; the answer is the step that is taken, if any.
    mutating func weigh(waiting: Int, now: ContinuousClock.Instant) -> Change? {
        self.waiting = waiting
        lag = time(for: waiting)
        let before = level
        if lag >= Self.limit {
            calmSince = nil
            climb(now)
        } else {
            behindSince = nil
            calmSince = lag < Self.calm ? calmSince ?? now : nil
            descend(now)
        }
        return level == before ? nil : Change(before: before, now: level, load: self)
    }

    private mutating func climb(_ now: ContinuousClock.Instant) {
        guard let since = behindSince else {
            (behindSince, firstLag) = (now, lag)
            return
        }
        guard now - since >= (level == .keepingUp ? Self.limit : Self.patience) else { return }
        let isGaining = level > .keepingUp && lag < firstLag
        (behindSince, firstLag) = (now, lag)
        if !isGaining { level = level == .keepingUp && canReduce ? .reduced : .halved }
    }

    private mutating func descend(_ now: ContinuousClock.Instant) {
        guard level > .keepingUp, let since = calmSince, now - since >= Self.rest else { return }
        calmSince = now
        level = level == .halved && canReduce ? .reduced : .keepingUp
    }
}
