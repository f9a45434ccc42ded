import Evaluation
import Plate
import TestSupport
import Testing

@Suite struct HausdorffTests {
    /// Every pixel of one mask, or of its outline, against every one of the other.
    private func plain(_ first: Mask, _ second: Mask, _ part: HausdorffDistance.Part) -> Double {
        func pixels(_ mask: Mask) -> [(Int, Int)] {
            var found: [(Int, Int)] = []
            for row in 0..<mask.height {
                for column in 0..<mask.width where mask.values[row * mask.width + column] == 1 {
                    let sides = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
                    let isInside = sides.allSatisfy { y, x in
                        (0..<mask.height).contains(y) && (0..<mask.width).contains(x)
                            && mask.values[y * mask.width + x] == 1
                    }
                    if part == .whole || !isInside { found.append((row, column)) }
                }
            }
            return found
        }
        func directed(_ from: [(Int, Int)], _ to: [(Int, Int)]) -> Int {
            from.map { a in to.map { b in (a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1) }.min() ?? 0 }
                .max() ?? 0
        }
        let (one, other) = (pixels(first), pixels(second))
        return Double(max(directed(one, other), directed(other, one))).squareRoot()
    }

    @Test(arguments: [(1, 1, 0.9), (1, 17, 0.2), (13, 1, 0.3), (19, 23, 0.02), (19, 23, 0.5), (16, 31, 0.95)])
    func agreesWithAllPairs(height: Int, width: Int, share: Double) throws {
        for seed in 1...5 {
            var random = TestGenerator(seed: UInt64(seed * 100 + height))
            let masks = (0..<2).map { _ in
                var values = (0..<height * width).map { _ in
                    UInt8(Double.random(in: 0..<1, using: &random) < share ? 1 : 0)
                }
                values[Int.random(in: 0..<values.count, using: &random)] = 1
                return Mask(height: height, width: width, values: values)
            }
            for part in [HausdorffDistance.Part.whole, .outline] {
                let found = HausdorffDistance.between(masks[0], masks[1], of: part)
                #expect(try #require(found) == plain(masks[0], masks[1], part))
            }
        }
    }

    @Test func emptyMasksHaveNoDistance() {
        let empty = Mask(height: 2, width: 3, values: [0, 0, 0, 0, 0, 0])
        let full = Mask(height: 2, width: 3, values: [1, 1, 1, 1, 1, 1])
        #expect(HausdorffDistance.between(empty, full, of: .whole) == nil)
        #expect(HausdorffDistance.between(full, empty, of: .whole) == nil)
        #expect(HausdorffDistance.between(empty, empty, of: .whole) == nil)
        #expect(HausdorffDistance.between(full, full, of: .whole) == 0)
    }

    /// A ring is as far from its disc as the disc's middle is from the ring; their outlines are no further apart.
    @Test func whatLiesInsideCountsForWholeMasksOnly() {
        let square = (0..<81).map { index in (1..<8).contains(index / 9) && (1..<8).contains(index % 9) }
        let ring = square.indices.map { index in
            square[index] && !((2..<7).contains(index / 9) && (2..<7).contains(index % 9))
        }
        let masks = [square, ring].map { Mask(height: 9, width: 9, values: $0.map { $0 ? 1 : 0 }) }
        #expect(HausdorffDistance.between(masks[0], masks[1], of: .whole) == 3)
        #expect(HausdorffDistance.between(masks[0], masks[1], of: .outline) == 0)
    }

    @Test func curvesEndWhereEverythingIsCalledFaulty() throws {
        let metrics = ClassificationMetrics(
            scores: [0.9, 0.8, 0.7, 0.1],
            faulty: [true, false, true, false]
        )
        let expected: [(Double, Double, Double)] = [
            (0, 0.5, 1), (0.5, 0.5, 0.5), (0.5, 1, 2.0 / 3), (1, 1, 0.5),
        ]
        #expect(metrics.curve.map(\.threshold) == [0.9, 0.8, 0.7, 0.1])
        for (point, value) in zip(metrics.curve, expected) {
            #expect(point.falseAlarmRate == value.0 && point.recall == value.1 && point.precision == value.2)
        }
        var random = TestGenerator(seed: 3)
        let scores = random.floats(50_000).map { Double($0) }
        let many = ClassificationMetrics(
            scores: scores,
            faulty: scores.map { $0 + Double.random(in: -1...1) > 0 }
        )
        #expect(many.curve.count < 1500)
        #expect(try #require(many.curve.last).recall == 1)
        let area = zip(many.curve, many.curve.dropFirst()).reduce(0) {
            $0 + ($1.1.falseAlarmRate - $1.0.falseAlarmRate) * ($1.0.recall + $1.1.recall) / 2
        }
        #expect(try abs(#require(many.rocAUC) - area) < 0.01)
    }
}
