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
