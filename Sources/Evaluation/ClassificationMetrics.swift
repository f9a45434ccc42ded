import Mathematics
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

/// Lowers a threshold through ranked scores, the highest first, and keeps the areas under the two curves.
struct ThresholdSweep {
    private let faulty: Double
    private let normal: Double
    private var score = Double.infinity
    private var found = (faulty: 0.0, normal: 0.0)
    private var tied = (faulty: 0.0, normal: 0.0)
    private var pairs = 0.0
    private var precision = 0.0

    /// The largest Dice so far.
    private(set) var bestDice = 0.0
    /// The score that gave it.
    private(set) var bestDiceThreshold = Double.infinity
    /// The curves so far, as fine as a drawing shows.
    private(set) var curve: [OperatingPoint] = []
    private var latest: OperatingPoint?

    /// Starts above the highest score of so many faulty and normal ones.
    init(faulty: Int, normal: Int) {
        self.faulty = Double(faulty)
        self.normal = Double(normal)
    }

    /// Chance that a faulty one outranks a normal one, once all scores are in.
    var rocAUC: Double? { faulty > 0 && normal > 0 ? pairs / (faulty * normal) : nil }
    /// Average precision, once all scores are in.
    var averagePrecision: Double? { faulty > 0 ? precision / faulty : nil }

    /// Takes the next score, not above the last one.
    mutating func add(_ next: Double, isFaulty: Bool) {
        if next != score {
            closeTie()
            score = next
        }
        if isFaulty { tied.faulty += 1 } else { tied.normal += 1 }
    }

    /// Ends the sweep: passes the last scores and closes the curves.
    mutating func close() {
        closeTie()
        if let latest, curve.last != latest { curve.append(latest) }
    }

    /// Passes the scores that tie.
    private mutating func closeTie() {
        guard tied.faulty + tied.normal > 0 else { return }
        pairs += tied.normal * (found.faulty + tied.faulty / 2)
        found.faulty += tied.faulty
        found.normal += tied.normal
        let share = found.faulty / (found.faulty + found.normal)
        precision += tied.faulty * share
        keep(precision: share)
        let dice = 2 * found.faulty / (found.faulty + found.normal + faulty)
        if dice > bestDice {
            bestDice = dice
            bestDiceThreshold = score
        }
        tied = (0, 0)
    }

    private mutating func keep(precision: Double) {
        let point = OperatingPoint(
            threshold: score,
            falseAlarmRate: normal > 0 ? found.normal / normal : 0,
            recall: faulty > 0 ? found.faulty / faulty : 0,
            precision: precision
        )
        latest = point
        if curve.last.map({ point.isApart(from: $0) }) ?? true { curve.append(point) }
    }
}

/// What one threshold gives: a point of the ROC and of the precision-recall curve.
package struct OperatingPoint: Sendable, Equatable, Codable {
    /// The lowest score that counts as faulty.
    package let threshold: Double
    /// Share of the normal ones that are called faulty.
    package let falseAlarmRate: Double
    /// Share of the faulty ones that are found.
    package let recall: Double
    /// Share of what is called faulty that is.
    package let precision: Double

    /// Gathers a point.
    package init(threshold: Double, falseAlarmRate: Double, recall: Double, precision: Double) {
        self.threshold = threshold
        self.falseAlarmRate = falseAlarmRate
        self.recall = recall
        self.precision = precision
    }

    /// Whether a drawing would show the two apart.
    func isApart(from other: OperatingPoint) -> Bool {
        let step = 1.0 / 256
        return abs(recall - other.recall) >= step || abs(falseAlarmRate - other.falseAlarmRate) >= step
            || abs(precision - other.precision) >= step
    }
}

/// Sorts the pixels of many maps: a benchmark has 150 million, which a comparison sort takes minutes over.
///
/// The bits of floats that are not negative rise with their value and leave one bit free, which takes the
/// truth.
enum PixelRanking {
    private static let digitBits = 11
    private static let digitCount = 1 << digitBits

    /// One key per pixel, the highest score first.
    static func descendingKeys(maps: [ScoreMap], masks: [Mask]) -> [UInt32] {
        var keys: [UInt32] = []
        keys.reserveCapacity(maps.reduce(0) { $0 + $1.values.count })
        for (map, mask) in zip(maps, masks) {
            for (value, truth) in zip(map.values, mask.values) {
                precondition(value >= 0, "a residual of \(value)")
                keys.append((value + 0).bitPattern << 1 | UInt32(truth))
            }
        }
        var spare = [UInt32](repeating: 0, count: keys.count)
        for shift in stride(from: 0, to: UInt32.bitWidth, by: digitBits) {
            sort(keys, by: shift, into: &spare)
            swap(&keys, &spare)
        }
        return keys
    }

    /// The score within a key.
    static func score(_ key: UInt32) -> Double { Double(Float(bitPattern: key >> 1)) }

    /// The truth within a key.
    static func isFaulty(_ key: UInt32) -> Bool { key & 1 == 1 }

    /// One stable pass of a radix sort over eleven bits, falling.
    private static func sort(_ keys: [UInt32], by shift: Int, into sorted: inout [UInt32]) {
        let digit = { (key: UInt32) in digitCount - 1 - Int(key >> UInt32(shift)) & (digitCount - 1) }
        var places = [Int](repeating: 0, count: digitCount + 1)
        for key in keys { places[digit(key) + 1] += 1 }
        for index in 1...digitCount { places[index] += places[index - 1] }
        for key in keys {
            sorted[places[digit(key)]] = key
            places[digit(key)] += 1
        }
    }
}
