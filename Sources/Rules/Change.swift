import Foundation
import Mathematics
package import Plate

/// Whether a frame looks unlike its well did just before: the focus moved by some 15 um, say, or the cells are gone.
///
/// Wells differ by more than that in focus, cells and light. A single frame therefore cannot show it, but the well's own
/// history can. The change of a frame is its distance from the last `before` calm frames: the root mean square over the figures
/// of its appearance (`Judgement.appearance`) of their distances from the median, in the spread of the calm frames (from the
/// median absolute deviation). A changed frame is not compared with later, so a change stays visible while it lasts. After
/// `patience` changed frames the well counts as being like that, and the comparison begins anew.
package struct ChangeRule: Sendable {
    /// A normal frame of the well.
    package struct Look: Sendable {
        let appearance: [Float]
        /// The terms of the severity, in the order of the formula.
        let levels: [Float]
        /// `nil` where too few frames came before it.
        let change: Double?
        /// The evidence up to it (`EvidenceRule`); `nil` where too few frames came before it.
        let evidence: Double?
        /// The size of what was new in it (`ArrivalRule`); `nil` where that is not known.
        let arrival: Double?

        /// Gathers a frame.
        package init(
            appearance: [Float],
            terms: [SeverityContribution] = [],
            change: Double?,
            evidence: Double? = nil,
            arrival: Double? = nil
        ) {
            self.appearance = appearance
            levels = Self.levels(of: terms)
            (self.change, self.evidence, self.arrival) = (change, evidence, arrival)
        }

        init(_ judgement: Judgement, change: Double?, evidence: Double?, arrival: Double?) {
            self.init(
                appearance: judgement.appearance,
                terms: judgement.terms,
                change: change,
                evidence: evidence,
                arrival: arrival
            )
        }

        /// As a record keeps them: a well that is read from its record must not differ from one that lives on.
        static func levels(of terms: [SeverityContribution]) -> [Float] {
            terms.map { Float($0.value.roundedToFourDigits) }
        }

        fileprivate var isCalm: Bool { change.map { $0 <= ChangeRule.limit } ?? true }
        fileprivate var hasChange: Bool { change != nil }
        var isQuiet: Bool { evidence.map { $0 <= 0 } ?? true }
        var hasEvidence: Bool { evidence != nil }
    }

    /// Change above which a frame looks unlike the frames before it, in their spread.
    package static let limit = 5.0
    /// Calm frames that a frame is compared with.
    package static let before = 12
    /// Changed frames in a row after which the well counts as being like that: some 8 minutes at a frame per 8 s.
    static let patience = 64
    /// Earlier frames that are looked at.
    package static let window = patience + before
    /// Frames of a well after a shift or drift until another shift is told.
    package static let silence = patience
    /// Spread that any well may have, in that of normal tiles.
    private static let smallestSpread: Float = 0.01

    private var looks: [Look]

    /// Starts with the last `window` normal frames of a well, oldest first.
    package init(_ looks: [Look]) { self.looks = looks }

    /// Adds the well's next normal frame and returns its change; `nil` where too few frames came before it.
    package mutating func add(_ appearance: [Float]) -> Double? {
        let change = change(of: appearance)
        looks.append(Look(appearance: appearance, change: change))
        looks.removeFirst(max(0, looks.count - Self.window))
        return change
    }

    /// How far a frame is from the well's recent calm frames; `nil` where these are too few.
    package func change(of appearance: [Float]) -> Double? {
        guard let calm = looks.lastCalm(\.isCalm, known: \.hasChange),
            let usual = Usual(calm.map(\.appearance), smallestSpread: Self.smallestSpread),
            let distances = usual.distances(of: appearance)
        else { return nil }
        let squares = distances.map { Double($0 * $0) }
        return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }

    /// Whether the last two frames look unlike those before and the one before them did not: a single odd frame is no change.
    package var hasJustBegun: Bool {
        let last = looks.suffix(3).map(\.isCalm)
        return last.suffix(2) == [false, false] && last != [false, false, false]
    }

    /// The reason of a shift, in words.
    static func words(_ change: Double) -> String {
        String(
            format:
                "looks unlike the %d frames before it: %.1f times their usual spread; has the focus moved?",
            before,
            change
        )
    }
}

extension [ChangeRule.Look] {
    /// The last calm frames, `ChangeRule.before` of them; `nil` where there are fewer, or none of the last
    /// `ChangeRule.patience` was calm.
    func lastCalm(
        _ isCalm: KeyPath<ChangeRule.Look, Bool>,
        known: KeyPath<ChangeRule.Look, Bool>
    ) -> Self? {
        let last = suffix(ChangeRule.patience)
        guard last.count < ChangeRule.patience || last.contains(where: { $0[keyPath: isCalm] }) else {
            return nil
        }
        var calm: Self = []
        var isUnknown = false
        for look in reversed() where calm.count < ChangeRule.before {
            // Frames before those of which nothing is known belong to an earlier look of the well.
            if !look[keyPath: known] { isUnknown = true } else if isUnknown { break }
            if look[keyPath: isCalm] { calm.append(look) }
        }
        return calm.count == ChangeRule.before ? calm : nil
    }
}

/// Whether a well creeps towards its threshold while its frames still pass.
///
/// The medians of the severity over the well's first `window` frames and over its last are compared: single frames and passing
/// cells do not move them. A well drifts where the later median has gone at least `share` of the way from the earlier one to
/// the threshold, and the earlier one was below that share of the threshold.
package enum DriftRule {
    /// Frames of a median.
    package static let window = 32
    /// Part of the way to the threshold that is drift.
    static let share = 0.5
    /// Frames of a well after a shift or drift until drift is told: an hour at a frame per 8 s.
    package static let silence = 450

    /// How far a well has gone.
    package struct Rise: Sendable, Equatable {
        /// Median severity of its first frames.
        package let from: Double
        /// Median severity of its last frames.
        package let to: Double

        /// The rise in words.
        package func words(threshold: Double) -> String {
            String(format: "severity rose from %.3g to %.3g of %.3g that are faulty", from, to, threshold)
        }
    }

    /// The rise over a whole series of severities in order of time, which may end above the threshold; `nil` for a jump, for no drift,
    /// and for fewer than `fewest` frames.
    ///
    /// Medians of four parts rise one after another, none of the steps by most of the way.
    package static func rise(over series: [Double], threshold: Double) -> Rise? {
        guard series.count >= fewest, threshold.isFinite else { return nil }
        let parts = (0..<4).map { part in
            Array(series[part * series.count / 4..<(part + 1) * series.count / 4]).median
        }
        let rise = Rise(from: parts[0], to: parts[3])
        let steps = zip(parts, parts.dropFirst()).map { $1 - $0 }
        guard isFar(rise, threshold), steps.allSatisfy({ 0...largestStep * (rise.to - rise.from) ~= $0 })
        else {
            return nil
        }
        return rise
    }

    /// Frames that tell a drift from chance.
    private static let fewest = 16
    /// A drift goes this part of its way at most from one quarter of the time to the next.
    private static let largestStep = 0.7

    private static func isFar(_ rise: Rise, _ threshold: Double) -> Bool {
        threshold > 0 && rise.from < share * threshold
            && rise.to - rise.from >= share * (threshold - rise.from)
    }

    /// The rise from the first frames' severities to the last frames'; `nil` where there is no drift or too few frames.
    package static func rise(first: [Double], last: [Double], threshold: Double) -> Rise? {
        guard first.count == window, last.count == window, threshold.isFinite else { return nil }
        let rise = Rise(from: first.median, to: last.median)
        return rise.to < threshold && isFar(rise, threshold) ? rise : nil
    }
}
