import Plate

/// When the test of itself says that the detector is not to be relied on any more.
///
/// Too little found of all: of the last rounds that make `enough` copies, less than a share of the operator's. Or a class that
/// is lost: of its last `enoughOfClass` copies less than a quarter found, and at least half of as many when this detector was
/// first tested. So a class that a model never saw well is no alarm of its own, and a single miss is none either. Rounds are
/// compared with those of the same model, precision and threshold only.
package struct CanaryRule: Sendable, Equatable {
    /// Share of all copies below which there is an alarm; 0 for never.
    package let alarmBelow: Double

    private static let enough = 12
    private static let enoughOfClass = 8
    /// Copies that have to be well again before an alarm is taken back: more than raise it, so that none flaps.
    private static let enoughToClear = 30

    /// Takes the operator's share.
    package init(alarmBelow: Double) {
        self.alarmBelow = alarmBelow
    }

    /// What the last of some rounds, given oldest first, turns: an alarm where none stands, its end, or nothing.
    package func turn(_ rounds: [CanaryRound], isStanding: Bool) -> CanaryEvent? {
        guard let last = rounds.last else { return nil }
        let comparable = rounds.filter { $0.isOfSameDetector(as: last) }
        let complaint = alarmBelow > 0 ? complaint(comparable) : nil
        if let complaint {
            let turn = CanaryEvent.Turn(time: last.time, model: last.model, reason: complaint + Self.remedy)
            return isStanding ? nil : .alarm(turn)
        }
        guard isStanding else { return nil }
        let recent = Self.pooled(comparable.reversed(), Self.enoughToClear)
        guard alarmBelow == 0 || recent.map({ !isTooLow($0) }) == true else { return nil }
        return .clear(
            CanaryEvent.Turn(time: last.time, model: last.model, reason: Self.words(recent ?? last.tallies))
        )
    }

    private static let remedy =
        ": compare `model` and `threshold` with those of before, look whether the plate's frames have changed, "
        + "and calibrate on normal frames of now (autoqc calibrate)"

    private func complaint(_ rounds: [CanaryRound]) -> String? {
        if let recent = Self.pooled(rounds.reversed(), Self.enough), isTooLow(recent) {
            return "\(Self.words(recent)), less than \(Int((100 * alarmBelow).rounded())) %"
        }
        let lost = Cause.allCases.compactMap { Self.lost($0, rounds) }
        return lost.isEmpty ? nil : lost.joined(separator: ", ")
    }

    private func isTooLow(_ tallies: [CanaryRound.Tally]) -> Bool {
        let (copies, found) = Self.sum(tallies)
        return Double(found) < alarmBelow * Double(copies)
    }

    /// What became of a class that was seen at first and is not now; `nil` for others.
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

    private static func pooled(_ rounds: some Sequence<CanaryRound>, _ enough: Int) -> [CanaryRound.Tally]? {
        pooled(rounds.map(\.tallies), enough)
    }

    /// The sums by class over as many rounds as make enough copies; `nil` where all do not.
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

    /// For example `found 19 of 20 faults put on copies of live frames (air-bubble 4 of 4, ...)`.
    static func words(_ tallies: [CanaryRound.Tally]) -> String {
        let (copies, found) = sum(tallies)
        let classes = tallies.filter { $0.copies > 0 }.map {
            "\($0.cause.rawValue) \($0.found) of \($0.copies)"
        }
        return
            "found \(found) of \(copies) faults put on copies of live frames (\(classes.joined(separator: ", ")))"
    }
}
