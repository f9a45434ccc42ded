import Foundation
import Mathematics
package import Plate

/// Whether the frames of a well together say what no single one does: a fault that is weak, and stays.
///
/// A cumulative sum (CUSUM; Page, Biometrika 41, 1954). Each frame adds how unlike the well's own recent frames it is, less an
/// allowance that normal frames do not use up, and the sum is never below 0:
///
///     sum = max(0, sum + min(unlikeness - allowance, most))
///
/// The well counts as faulty where the sum reaches `limit`. For a stated rate of false alarms no test tells a lasting change
/// sooner (Lorden, Annals of Mathematical Statistics 42, 1971). That holds for independent frames. Frames of one well are not
/// independent, so allowance and limit were chosen on simulated wells: about one false ONSET in ten plates of an hour.
///
/// Wells differ from each other by more than a weak fault. So a frame is compared with the last `ChangeRule.before` frames of its
/// well whose sum was 0. How far the terms of its severity have risen above theirs is one distance, in their spread; how far its
/// look has changed, either way, is the second (`ChangeRule`), and what is new in one place the third (`ArrivalRule`). The largest
/// counts, in units of what normal frames reach. A frame adds `most` at most, so an odd frame never turns a well faulty by itself.
/// Without such frames a well has no evidence: in its first frames, and after `ChangeRule.patience` unlike frames in a row, when it
/// counts as being like that.
///
/// A model with a budget of one false alarm in 100 frames finds a few wells of each plate faulty for what they always look like. So a
/// frame with a severity below `certain` counts as far as it is unlike the frames before it, like a normal one. From `certain` on a
/// faulty frame adds `most`, however it looks.
package struct EvidenceRule: Sendable {
    /// The sum at which the well counts as faulty; the sum does not grow beyond it.
    package static let limit = 2.0
    /// What a frame adds at most: a certainly faulty frame adds it, however it looks.
    package static let most = 0.8
    /// Severity from which on a faulty frame counts however it looks: the smallest threshold at a budget of 1 in 1000.
    package static let certain = NormalSeverity.onceInThousand

    /// What normal frames do not use up, in units of the unlikeness.
    private static let allowance = 1.0
    /// Rise of the terms, in spreads, that normal frames seldom reach.
    private static let usualRise = 1.2
    /// Change of the look, in spreads, that normal frames seldom reach.
    private static let usualChange = 4.0
    /// What is new in one place, in hundredths of the background, that frames of any well may reach.
    private static let smallestArrival = 4.0
    /// How far a frame may go beyond the most that was new in the frames that it is compared with.
    private static let usualArrival = 1.5
    /// Spread that any well's terms may have, in that of normal frames.
    private static let smallestSpread: Float = 0.8

    private var looks: [ChangeRule.Look]
    private var sum: Double
    /// What was new in the last frames and counted; `nil` where nothing did since the sum was 0.
    private(set) var arrival: ArrivalRule.Arrival?

    /// Starts with the last `ChangeRule.window` normal frames of a well, oldest first, and the sum after its last frame.
    package init(_ looks: [ChangeRule.Look], sum: Double) { (self.looks, self.sum) = (looks, sum) }

    /// Whether the sum has reached its limit.
    package var isEnough: Bool { sum >= Self.limit }
    /// Whether nothing is left of it.
    package var isGone: Bool { sum <= 0 }

    /// Adds the well's next frame and returns the sum; `nil` where nothing is known of the well's usual frames.
    ///
    /// `isCertain` says whether a faulty frame counts however it looks (`WellSequence.Settings.isCertain`), `change` is how far the frame
    /// is from the well's recent ones (`ChangeRule`), `arrival` what is new in it (`ArrivalRule`); `nil` where that is not known.
    package mutating func add(
        _ judgement: Judgement,
        isCertain: Bool,
        change: Double?,
        arrival: ArrivalRule.Arrival? = nil
    ) -> Double? {
        var known = true
        if judgement.verdict == .faulty, isCertain {
            sum += Self.most
        } else if let unlikeness = unlikeness(of: judgement, change, arrival) {
            sum += max(-Self.most, min(unlikeness - Self.allowance, Self.most))
        } else {
            (sum, known) = (0, false)
        }
        sum = min(max(sum, 0), Self.limit)
        if isGone { self.arrival = nil }
        let evidence = known ? sum : nil
        if judgement.verdict == .normal {
            looks.append(
                ChangeRule.Look(judgement, change: change, evidence: evidence, arrival: arrival?.size)
            )
            looks.removeFirst(max(0, looks.count - ChangeRule.window))
        }
        return evidence
    }

    /// How far a frame is from the well's usual ones, 1 for as far as normal frames seldom are.
    private mutating func unlikeness(
        of judgement: Judgement,
        _ change: Double?,
        _ arrival: ArrivalRule.Arrival?
    ) -> Double? {
        guard let calm = looks.lastCalm(\.isQuiet, known: \.hasEvidence),
            let rise = Self.rise(of: ChangeRule.Look.levels(of: judgement.terms), above: calm.map(\.levels))
        else { return nil }
        let new = arrival.map { Self.unlikeness(of: $0, calm) } ?? 0
        if new > Self.allowance { self.arrival = arrival }
        return max(rise / Self.usualRise, (change ?? 0) / Self.usualChange, new)
    }

    /// How far what is new in a frame goes beyond the most that was new in calm ones; 0 where too few of them are known.
    private static func unlikeness(of arrival: ArrivalRule.Arrival, _ calm: [ChangeRule.Look]) -> Double {
        let known = calm.compactMap(\.arrival)
        guard known.count >= calm.count / 2, let most = known.max() else { return 0 }
        return arrival.size / max(smallestArrival, usualArrival * most) * arrival.likeness
    }

    /// Root mean square of what the terms rose above their usual values; a term that fell counts as 0.
    private static func rise(of levels: [Float], above calm: [[Float]]) -> Double? {
        guard let distances = Usual(calm, smallestSpread: smallestSpread)?.distances(of: levels) else {
            return nil
        }
        let squares = distances.map { Double(max($0, 0) * max($0, 0)) }
        return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }

    /// The reason of an onset, in words.
    func words(_ frames: Int) -> String {
        let what = "weak but lasting: \(frames) frames in a row are unlike the well's frames before them"
        return arrival.map { "\(what); something new is at x=\($0.x) y=\($0.y)" } ?? what
    }
}

/// What some frames have in common, figure by figure: the median, and the spread around it.
struct Usual {
    private let middles: [Float]
    private let spreads: [Float]

    /// Largest distance of a single figure, in spreads: no figure decides alone.
    private static let farthest: Float = 50
    /// Standard deviations in a median absolute deviation, for a Gaussian.
    private static let gaussian: Float = 1.4826

    /// Takes the figures of each frame; `nil` where there are none, or frames of different numbers of them.
    init?(_ frames: [[Float]], smallestSpread: Float) {
        guard let first = frames.first, !first.isEmpty, frames.allSatisfy({ $0.count == first.count }) else {
            return nil
        }
        middles = first.indices.map { index in frames.map { $0[index] }.median }
        spreads = zip(first.indices, middles).map { index, middle in
            max(Self.gaussian * frames.map { abs($0[index] - middle) }.median, smallestSpread)
        }
    }

    /// How far each figure of a frame is from the median, in spreads; `nil` for a frame of another number of figures.
    func distances(of frame: [Float]) -> [Float]? {
        guard frame.count == middles.count else { return nil }
        return frame.indices.map { index in
            let distance = (frame[index] - middles[index]) / spreads[index]
            return min(max(distance, -Self.farthest), Self.farthest)
        }
    }
}
