import Plate
import Reporting

/// The rounds of the canary so far and what they say together; begins with what the log of earlier starts holds.
struct CanaryMemory {
    /// About a month of rounds, an hour apart.
    private static let mostRounds = 1000

    private(set) var rounds: [CanaryRound] = []
    /// The alarm that stands; `nil` for none.
    private(set) var alarm: CanaryEvent.Turn?

    init(_ events: [CanaryEvent] = []) {
        events.forEach { remember($0) }
    }

    /// The last round.
    var last: CanaryRound? { rounds.last }

    /// Takes a round; the answer is what there is to tell.
    mutating func take(_ round: CanaryRound, rule: CanaryRule) -> [CanaryEvent] {
        let turn = rule.turn(rounds + [round], isStanding: alarm != nil)
        let events = [.round(round)] + (turn.map { [$0] } ?? [])
        events.forEach { remember($0) }
        return events
    }

    private mutating func remember(_ event: CanaryEvent) {
        switch event {
        case .round(let round):
            rounds.append(round)
            if rounds.count > Self.mostRounds { rounds.removeFirst() }
        case .alarm(let turn): alarm = turn
        case .clear: alarm = nil
        }
    }
}
