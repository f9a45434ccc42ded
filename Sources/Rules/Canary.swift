import Foundation
package import Plate

/// One round of the daemon's test of itself: faults put on copies of live normal frames, and how many of them were found.
package struct CanaryRound: Sendable, Equatable, Codable {
    /// Copies with faults of one class, and how many of them were judged faulty.
    package struct Tally: Sendable, Equatable, Codable {
        /// The class.
        package let cause: Cause
        /// Copies that were judged.
        package var copies: Int
        /// Of them, those that were judged faulty.
        package var found: Int

        /// Gathers the figures of a class.
        package init(cause: Cause, copies: Int = 0, found: Int = 0) {
            (self.cause, self.copies, self.found) = (cause, copies, found)
        }
    }

    /// When it ended.
    package let time: Timestamp
    /// Name of the model that judged.
    package let model: String
    /// What the network computed with.
    package let precision: String
    /// Severity above which a frame was faulty.
    package let threshold: Double
    /// Names of the copied frames, separated by spaces.
    ///
    /// The round can be repeated from them.
    package let frames: String
    /// Frames that were judged normal when they came and are not normal now: nothing was put on them.
    package let leftOut: Int
    /// What was found, by class.
    package let tallies: [Tally]
    /// Core time that reading, copying and judging took.
    package let cost: Duration

    /// Gathers a round.
    package init(
        time: Timestamp,
        model: String,
        precision: String,
        threshold: Double,
        frames: String,
        leftOut: Int,
        tallies: [Tally],
        cost: Duration
    ) {
        self.time = time
        self.model = model
        self.precision = precision
        self.threshold = threshold
        self.frames = frames
        self.leftOut = leftOut
        self.tallies = tallies
        self.cost = cost
    }

    /// Copies of all classes.
    package var copies: Int { tallies.reduce(0) { $0 + $1.copies } }

    /// Of them, those that were judged faulty.
    package var found: Int { tallies.reduce(0) { $0 + $1.found } }

    /// Share of the copies that were found; `nil` for a round without any.
    package var sensitivity: Double? { copies > 0 ? Double(found) / Double(copies) : nil }

    /// For example `found 19 of 20 faults put on copies of live frames (air-bubble 4 of 4, ...)`.
    package var words: String { CanaryRule.words(tallies) }

    /// Whether another round was judged with the same model, precision and threshold, so that the two can be compared.
    func isOfSameDetector(as other: CanaryRound) -> Bool {
        model == other.model && precision == other.precision
            && Self.recorded(threshold) == Self.recorded(other.threshold)
    }

    /// Four significant digits, as logs keep them: a round that was read from a log has no more.
    private static func recorded(_ figure: Double) -> String { String(format: "%.4g", figure) }
}

/// What is told of the daemon's test of itself: one line in its log, and one record in the journal.
package enum CanaryEvent: Sendable, Equatable {
    /// The test began to fail, or passes again.
    package struct Transition: Sendable, Equatable {
        /// When.
        package let time: Timestamp
        /// Name of the model at work.
        package let model: String
        /// A sentence that says what was found, and for an alarm what is missed and what to do.
        package let reason: String

        /// Gathers a transition.
        package init(time: Timestamp, model: String, reason: String) {
            (self.time, self.model, self.reason) = (time, model, reason)
        }
    }

    /// A round is done.
    case round(CanaryRound)
    /// The detector misses faults that it should find.
    case alarm(Transition)
    /// It finds them again.
    case clear(Transition)

    /// The event in a line and in the journal.
    package var name: String {
        switch self {
        case .round: "ROUND"
        case .alarm: "CANARY"
        case .clear: "CANARY-CLEAR"
        }
    }

    /// What a person is told.
    package var sentence: String {
        switch self {
        case .round(let round): "Canary: \(round.words)"
        case .alarm(let transition): "Canary: \(transition.reason)"
        case .clear(let transition): "Canary: the detector sees faults again, \(transition.reason)"
        }
    }
}

/// When the daemon's test of itself says that the detector cannot be relied on any more.
///
/// There are two reasons for an alarm. Too few faults were found: less than the operator's share over the last rounds that make
/// `enough` copies. Or a class is lost: less than a quarter of its last `enoughOfClass` copies was found, and at least half of as
/// many when this detector was first tested. So a class that a model never saw well raises no alarm of its own, and neither does
/// a single miss. Only rounds of the same model, precision and threshold are compared.
package struct CanaryRule: Sendable, Equatable {
    /// Share of all copies below which there is an alarm; 0 for never.
    package let alarmBelow: Double

    private static let enough = 12
    private static let enoughOfClass = 8
    /// Copies that decide whether an alarm ends: more than those that raise it, so that it does not come and go.
    private static let enoughToClear = 30

    /// Takes the operator's share.
    package init(alarmBelow: Double) {
        self.alarmBelow = alarmBelow
    }

    /// What the last of some rounds, given oldest first, brings about: an alarm where none stands, its end, or nothing.
    package func transition(_ rounds: [CanaryRound], isStanding: Bool) -> CanaryEvent? {
        guard let last = rounds.last else { return nil }
        let comparable = rounds.filter { $0.isOfSameDetector(as: last) }
        let complaint = alarmBelow > 0 ? complaint(comparable) : nil
        if let complaint {
            return isStanding ? nil : .alarm(Self.transition(last, complaint + Self.remedy))
        }
        guard isStanding else { return nil }
        let recent = Self.pooled(comparable.reversed().map(\.tallies), Self.enoughToClear)
        guard alarmBelow == 0 || recent.map({ !isTooLow($0) }) == true else { return nil }
        return .clear(Self.transition(last, Self.words(recent ?? last.tallies)))
    }

    private static func transition(_ last: CanaryRound, _ reason: String) -> CanaryEvent.Transition {
        CanaryEvent.Transition(time: last.time, model: last.model, reason: reason)
    }

    private static let remedy =
        ": compare `model` and `threshold` with the earlier rounds, look whether the plate's frames have changed, "
        + "and calibrate on recent normal frames (autoqc calibrate)"

    private func complaint(_ rounds: [CanaryRound]) -> String? {
        if let recent = Self.pooled(rounds.reversed().map(\.tallies), Self.enough), isTooLow(recent) {
            return "\(Self.words(recent)), less than \(Int((100 * alarmBelow).rounded())) %"
        }
        let lost = Cause.allCases.compactMap { Self.lost($0, rounds) }
        return lost.isEmpty ? nil : lost.joined(separator: ", ")
    }

    private func isTooLow(_ tallies: [CanaryRound.Tally]) -> Bool {
        let (copies, found) = Self.sum(tallies)
        return Double(found) < alarmBelow * Double(copies)
    }

    /// Says so of a class that was seen at first and is not now; `nil` for others.
    private static func lost(_ cause: Cause, _ rounds: [CanaryRound]) -> String? {
        let own = rounds.map { round in round.tallies.filter { $0.cause == cause } }
        guard let first = pooled(own, enoughOfClass), let last = pooled(own.reversed(), enoughOfClass) else {
            return nil
        }
        let (before, now) = (sum(first), sum(last))
        guard 2 * before.found >= before.copies, 4 * now.found < now.copies else { return nil }
        return "\(cause.rawValue) is not seen any more: \(now.found) of \(now.copies) found, "
            + "at first \(before.found) of \(before.copies)"
    }

    /// The sums by class over as many rounds as make enough copies; `nil` where all rounds together do not.
    private static func pooled(_ rounds: some Sequence<[CanaryRound.Tally]>, _ enough: Int)
        -> [CanaryRound.Tally]?
    {
        var sums: [CanaryRound.Tally] = []
        for tallies in rounds {
            guard sum(sums).copies < enough else { break }
            for tally in tallies {
                if let index = sums.firstIndex(where: { $0.cause == tally.cause }) {
                    sums[index].copies += tally.copies
                    sums[index].found += tally.found
                } else {
                    sums.append(tally)
                }
            }
        }
        return sum(sums).copies >= enough ? sums : nil
    }

    private static func sum(_ tallies: [CanaryRound.Tally]) -> (copies: Int, found: Int) {
        tallies.reduce((0, 0)) { ($0.0 + $1.copies, $0.1 + $1.found) }
    }

    fileprivate static func words(_ tallies: [CanaryRound.Tally]) -> String {
        let (copies, found) = sum(tallies)
        let classes = tallies.filter { $0.copies > 0 }.map {
            "\($0.cause.rawValue) \($0.found) of \($0.copies)"
        }
        return
            "found \(found) of \(copies) faults put on copies of live frames (\(classes.joined(separator: ", ")))"
    }
}

/// The canary's rounds so far and the alarm that stands; begins with the events of earlier starts.
package struct CanaryMemory: Sendable {
    /// About a month of rounds, an hour apart.
    private static let mostRounds = 1000

    private var rounds: [CanaryRound] = []
    /// The alarm that stands; `nil` for none.
    package private(set) var alarm: CanaryEvent.Transition?

    /// Starts with events, oldest first.
    package init(_ events: [CanaryEvent] = []) {
        events.forEach { remember($0) }
    }

    /// The last round; `nil` before the first one.
    package var last: CanaryRound? { rounds.last }

    /// Adds a round and returns what there is to tell: the round itself, and the alarm or its end.
    package mutating func add(_ round: CanaryRound, rule: CanaryRule) -> [CanaryEvent] {
        let transition = rule.transition(rounds + [round], isStanding: alarm != nil)
        let events = [.round(round)] + (transition.map { [$0] } ?? [])
        events.forEach { remember($0) }
        return events
    }

    private mutating func remember(_ event: CanaryEvent) {
        switch event {
        case .round(let round):
            rounds.append(round)
            if rounds.count > Self.mostRounds { rounds.removeFirst() }
        case .alarm(let transition): alarm = transition
        case .clear: alarm = nil
        }
    }
}
