import Evaluation
import Plate
import TestSupport
import Testing

/// The published pixel figures of single frames, against golden values and against plain twins that share no code with ours.
struct FrameFiguresTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedFigures() throws {
        let fixture = try Fixture("metrics")
        let scores = try fixture.floats("pixel_scores")
        let (height, width) = (scores.shape[0], scores.shape[1])
        let map = ScoreMap(height: height, width: width, values: scores.values)
        let truth = try Mask(height: height, width: width, values: fixture.bytes("pixel_truth").values)
        let expected = try ExpectedValues()
        let threshold = Float(try expected.number("metrics", "greedy_dice_threshold"))
        let mask = Mask(height: height, width: width, values: scores.values.map { $0 > threshold ? 1 : 0 })
        let figures = FrameFigures(map: map, mask: mask, truth: truth)
        let pairs = try [
            (figures.rocAUC, expected.number("metrics", "pixel_auc")),
            (figures.averagePrecision, expected.number("metrics", "pixel_auprc")),
            (figures.bestDice, expected.number("metrics", "greedy_dice")),
            (figures.dice, expected.number("metrics", "greedy_dice")),
            (figures.hausdorff, Twin.hausdorff(mask, truth)),
        ]
        for (index, (found, value)) in pairs.enumerated() {
            #expect(try abs(#require(found) - value) < 1e-9, "figure \(index)")
        }
    }

    /// Scores with ties and without, frames with little and much that is faulty.
    @Test(arguments: [(9, 14, 0.02, 8.0), (12, 11, 0.3, 20.0), (17, 8, 0.5, 1e6), (10, 10, 0.97, 3.0)])
    func agreesWithPlainTwins(height: Int, width: Int, share: Double, steps: Double) throws {
        for seed in 1...6 {
            var random = TestGenerator(seed: UInt64(1000 * seed + height))
            let count = height * width
            var truth = (0..<count).map { _ in UInt8(Double.random(in: 0..<1, using: &random) < share ? 1 : 0)
            }
            (truth[seed], truth[seed + 1]) = (1, 0)
            let scores = truth.map { isFaulty in
                let raw = Double.random(in: 0..<1, using: &random) + (isFaulty == 1 ? 0.3 : 0)
                return Float((raw * steps).rounded() / steps)
            }
            let found = scores.map { UInt8($0 > 0.5 ? 1 : 0) }
            let figures = FrameFigures(
                map: ScoreMap(height: height, width: width, values: scores),
                mask: Mask(height: height, width: width, values: found),
                truth: Mask(height: height, width: width, values: truth)
            )
            let twin = Twin(scores: scores.map { Double($0) }, truth: truth.map { $0 == 1 })
            #expect(try abs(#require(figures.averagePrecision) - twin.averagePrecision) < 1e-9)
            #expect(try abs(#require(figures.rocAUC) - twin.rocAUC) < 1e-9)
            #expect(abs(figures.dice - twin.dice(above: 0.5)) < 1e-9)
            #expect(abs(figures.bestDice - twin.bestDice) < 1e-9)
        }
    }

    @Test func whatIsNotDefinedIsAbsent() {
        let map = ScoreMap(height: 1, width: 3, values: [0.1, 0.2, 0.3])
        let (all, none) = (
            Mask(height: 1, width: 3, values: [1, 1, 1]), Mask(height: 1, width: 3, values: [0, 0, 0])
        )
        let everywhere = FrameFigures(map: map, mask: none, truth: all)
        #expect(everywhere.rocAUC == nil && everywhere.averagePrecision == 1)
        #expect(everywhere.hausdorff == nil && everywhere.dice == 0)
    }
}

/// The published definitions, pair by pair and threshold by threshold.
private struct Twin {
    let scores: [Double]
    let truth: [Bool]

    /// Sum over falling thresholds of precision times the rise of recall.
    var averagePrecision: Double {
        let faulty = Double(truth.count { $0 })
        var (sum, before) = (0.0, 0.0)
        for threshold in Set(scores).sorted(by: >) {
            let chosen = scores.indices.filter { scores[$0] >= threshold }
            let hits = Double(chosen.count { truth[$0] })
            sum += hits / Double(chosen.count) * (hits / faulty - before)
            before = hits / faulty
        }
        return sum
    }

    /// Share of pairs of a faulty and a normal pixel in which the faulty one scores higher, ties counting half.
    var rocAUC: Double {
        var (won, pairs) = (0.0, 0.0)
        for i in truth.indices where truth[i] {
            for j in truth.indices where !truth[j] {
                won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0
                pairs += 1
            }
        }
        return won / pairs
    }

    func dice(above threshold: Double) -> Double {
        let chosen = scores.map { $0 > threshold }
        let both = zip(chosen, truth).count { $0 && $1 }
        let sum = chosen.count { $0 } + truth.count { $0 }
        return sum > 0 ? 2 * Double(both) / Double(sum) : 0
    }

    /// Ten halvings of the range up to the largest score, each towards the better quarter, down where they are equal.
    var bestDice: Double {
        var (low, high, best) = (0.0, scores.max() ?? 0, 0.0)
        for _ in 0..<10 {
            let quarter = (high - low) / 4
            let (lower, upper) = (dice(above: low + quarter), dice(above: low + 3 * quarter))
            if upper > lower { low += 2 * quarter } else { high -= 2 * quarter }
            best = max(best, lower, upper)
        }
        return best
    }

    /// The farthest that a pixel of one mask lies from the other mask.
    static func hausdorff(_ first: Mask, _ second: Mask) -> Double {
        func points(_ mask: Mask) -> [(Int, Int)] {
            mask.values.indices.filter { mask.values[$0] == 1 }.map { ($0 / mask.width, $0 % mask.width) }
        }
        func squared(_ a: (Int, Int), _ b: (Int, Int)) -> Int {
            (a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1)
        }
        func directed(_ from: [(Int, Int)], _ to: [(Int, Int)], _ inTo: (Int, Int) -> Bool) -> Int {
            from.filter { !inTo($0.0, $0.1) }.map { a in to.map { squared(a, $0) }.min() ?? 0 }.max() ?? 0
        }
        let (one, other) = (points(first), points(second))
        let there = directed(one, other) { second.values[$0 * second.width + $1] == 1 }
        let back = directed(other, one) { first.values[$0 * first.width + $1] == 1 }
        return Double(max(there, back)).squareRoot()
    }
}
