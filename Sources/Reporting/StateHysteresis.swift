package import Plate

/// When a well turns faulty and when it is normal again.
///
/// A well turns faulty with the frame that makes at least `onset` of its last `window` judged frames faulty, and
/// normal again with the frame that leaves none of its last `window` judged frames faulty. The default of 2 in 3
/// lets one odd frame pass, and needs three normal ones in a row to end an alarm. `onset` 1 in 1 follows every frame.
package struct StateHysteresis: Sendable, Equatable {
    /// A change of a well's state.
    package enum Transition: Sendable, Equatable {
        /// The well turned faulty.
        case onset
        /// The well is normal again.
        case clear
    }

    /// The figures of the rule.
    package struct Rule: Sendable, Equatable {
        /// Faulty frames that turn a well faulty, from 1 to `window`.
        package let onset: Int
        /// Judged frames that are looked at.
        package let window: Int

        /// The rule `onset` of `window`; other figures than 1 <= onset <= window are a programmer's mistake.
        package init(onset: Int = 2, window: Int = 3) {
            precondition(1 <= onset && onset <= window, "\(onset) faulty of \(window) frames")
            self.onset = onset
            self.window = window
        }
    }

    /// The figures of the rule.
    package let rule: Rule
    /// Whether the well counts as faulty.
    package private(set) var isFaulty: Bool
    private var recent: [Bool]

    /// Starts with what is known: the last verdicts, oldest first, and the state they left the well in.
    package init(rule: Rule, verdicts: [Verdict] = [], isFaulty: Bool = false) {
        self.rule = rule
        self.isFaulty = isFaulty
        recent = verdicts.filter { $0 != .unreadable }.suffix(rule.window).map { $0 == .faulty }
    }

    /// Takes the next frame's verdict; unreadable frames say nothing about the well.
    package mutating func take(_ verdict: Verdict) -> Transition? {
        guard verdict != .unreadable else { return nil }
        recent.append(verdict == .faulty)
        recent.removeFirst(max(0, recent.count - rule.window))
        let faulty = recent.count { $0 }
        if !isFaulty, faulty >= rule.onset {
            isFaulty = true
            return .onset
        }
        if isFaulty, faulty == 0, recent.count == rule.window {
            isFaulty = false
            return .clear
        }
        return nil
    }
}
