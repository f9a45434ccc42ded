/// What the people who looked at the same frame say of it together.
package enum Opinion: String, Sendable, Equatable, CaseIterable {
    /// The frame is faulty.
    case fault
    /// The frame is normal although it was flagged.
    case falseAlarm = "false-alarm"
    /// It cannot be told.
    case unsure
    /// They do not all say the same. Such a frame counts as faulty, and nothing is fitted to it.
    case disputed

    /// The opinion of several people; `nil` where nobody has one.
    package init?(of people: some Sequence<Opinion>) {
        let all = Set(people)
        guard let first = all.first else { return nil }
        self = all.count == 1 ? first : .disputed
    }
}

/// How far two people say the same of what both looked at, beyond what chance would bring: Cohen's kappa (1960).
package struct Agreement: Sendable, Equatable {
    /// What both decided on.
    package let items: Int
    /// Share of these on which both say the same, in [0, 1].
    package let observed: Double
    /// Share on which both would say the same by chance, from how often each gives each answer.
    package let expected: Double

    /// Compares two people's answers, pair by pair; `nil` where there is no pair.
    package init?(_ answers: [(first: Opinion, second: Opinion)]) {
        guard !answers.isEmpty else { return nil }
        let count = Double(answers.count)
        items = answers.count
        observed = Double(answers.count { $0.first == $0.second }) / count
        expected = Opinion.allCases.reduce(0) { sum, opinion in
            let first = Double(answers.count { $0.first == opinion })
            let second = Double(answers.count { $0.second == opinion })
            return sum + first / count * (second / count)
        }
    }

    /// 1 for full agreement, 0 for that of chance, below 0 for less; `nil` where both gave one and the same answer throughout.
    package var kappa: Double? { expected < 1 ? (observed - expected) / (1 - expected) : nil }
}
