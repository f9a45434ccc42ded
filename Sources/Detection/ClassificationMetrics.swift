package import Plate

/// How well scores tell faulty from normal, over all thresholds; scores that tie change side together.
package struct ClassificationMetrics: Sendable, Equatable {
    /// Area under the ROC curve, the chance that a faulty one scores above a normal one, ties counting half.
    ///
    /// `nil` where one of the two classes is missing.
    package let rocAUC: Double?
    /// Area under the precision-recall curve as steps: sum of (R_n - R_(n-1)) P_n over falling thresholds.
    ///
    /// `nil` where nothing is faulty.
    package let averagePrecision: Double?
    /// The largest Dice that any threshold gives, 0 where nothing is faulty.
    package let bestDice: Double
    /// The score from which on everything counts as faulty to reach `bestDice`, that score included.
    package let bestDiceThreshold: Double
    /// The ROC and precision-recall curves over falling thresholds, thinned to what a drawing shows.
    package let curve: [OperatingPoint]

    /// Figures of image scores with their labels.
    package init(scores: [Double], faulty: [Bool]) {
        precondition(scores.count == faulty.count, "\(scores.count) scores have \(faulty.count) labels")
        precondition(!scores.contains { $0.isNaN }, "a score is not a number")
        let ranked = zip(scores, faulty).sorted { $0.0 > $1.0 }
        var sweep = ThresholdSweep(faulty: faulty.count { $0 }, normal: faulty.count { !$0 })
        for (score, isFaulty) in ranked { sweep.add(score, isFaulty: isFaulty) }
        self.init(sweep)
    }

    /// Figures of the pixels of all maps together with their truth.
    package init(maps: [ScoreMap], masks: [Mask]) {
        Self.checkShapes(maps, masks)
        let keys = PixelRanking.descendingKeys(maps: maps, masks: masks)
        let faulty = keys.count { PixelRanking.isFaulty($0) }
        var sweep = ThresholdSweep(faulty: faulty, normal: keys.count - faulty)
        for key in keys { sweep.add(PixelRanking.score(key), isFaulty: PixelRanking.isFaulty(key)) }
        self.init(sweep)
    }

    /// Share of images on the right side of a threshold; a score above it means faulty.
    package static func accuracy(scores: [Double], faulty: [Bool], threshold: Double) -> Double {
        precondition(
            scores.count == faulty.count && !scores.isEmpty,
            "\(scores.count) scores have \(faulty.count) labels"
        )
        let right = zip(scores, faulty).count { ($0 > threshold) == $1 }
        return Double(right) / Double(scores.count)
    }

    /// Dice of the pixels above a threshold with the truth, over all maps together: 2 |A and B| / (|A| +
    /// |B|).
    ///
    /// 0 where both are empty.
    package static func dice(maps: [ScoreMap], masks: [Mask], threshold: Double) -> Double {
        checkShapes(maps, masks)
        let limit = Float(largestNotAbove: threshold)
        var both = 0
        var sum = 0
        for (map, mask) in zip(maps, masks) {
            for (value, truth) in zip(map.values, mask.values) {
                let predicted: UInt8 = value > limit ? 1 : 0
                both += Int(predicted & truth)
                sum += Int(predicted + truth)
            }
        }
        return sum > 0 ? 2 * Double(both) / Double(sum) : 0
    }

    private init(_ sweep: ThresholdSweep) {
        var sweep = sweep
        sweep.close()
        rocAUC = sweep.rocAUC
        averagePrecision = sweep.averagePrecision
        bestDice = sweep.bestDice
        bestDiceThreshold = sweep.bestDiceThreshold
        curve = sweep.curve
    }

    private static func checkShapes(_ maps: [ScoreMap], _ masks: [Mask]) {
        precondition(
            maps.count == masks.count
                && zip(maps, masks).allSatisfy { $0.height == $1.height && $0.width == $1.width },
            "\(maps.count) maps do not match \(masks.count) masks"
        )
    }
}
