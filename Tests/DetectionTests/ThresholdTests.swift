import Detection
import Foundation
import Plate
import Randomness
import TestSupport
import Testing

@Suite struct MetricsTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedImageFigures() throws {
        let fixture = try Fixture("metrics")
        let scores = try fixture.doubles("image_scores").values
        let faulty = try fixture.integers("image_labels").values.map { $0 == 1 }
        let expected = try ExpectedValues()
        let metrics = ClassificationMetrics(scores: scores, faulty: faulty)
        let greedy = GreedyThreshold.accuracy(scores: scores, faulty: faulty)
        let pairs = try [
            (metrics.rocAUC, expected.number("metrics", "image_auc")),
            (metrics.averagePrecision, expected.number("metrics", "image_auprc")),
            (greedy.figure, expected.number("metrics", "greedy_acc")),
            (greedy.threshold, expected.number("metrics", "greedy_acc_threshold")),
        ]
        for (found, value) in pairs { #expect(try abs(#require(found) - value) < 1e-9) }
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedPixelFigures() throws {
        let fixture = try Fixture("metrics")
        let scores = try fixture.floats("pixel_scores")
        let (height, width) = (scores.shape[0], scores.shape[1])
        let map = ScoreMap(height: height, width: width, values: scores.values)
        let truth = try Mask(height: height, width: width, values: fixture.bytes("pixel_truth").values)
        let expected = try ExpectedValues()
        let metrics = ClassificationMetrics(maps: [map], masks: [truth])
        let greedy = GreedyThreshold.dice(maps: [map], masks: [truth])
        let pairs = try [
            (metrics.rocAUC, expected.number("metrics", "pixel_auc")),
            (metrics.averagePrecision, expected.number("metrics", "pixel_auprc")),
            (greedy.figure, expected.number("metrics", "greedy_dice")),
            (greedy.threshold, expected.number("metrics", "greedy_dice_threshold")),
        ]
        for (found, value) in pairs { #expect(try abs(#require(found) - value) < 1e-9) }
        #expect(metrics.bestDice >= greedy.figure)
        let below = metrics.bestDiceThreshold.nextDown
        #expect(ClassificationMetrics.dice(maps: [map], masks: [truth], threshold: below) == metrics.bestDice)
    }

    @Test func pooledPixelsAgreeWithScores() {
        let values = randomValues(600, seed: 1).map { ($0 * 20).rounded() / 20 }
        let truth = randomValues(600, seed: 2).map { UInt8($0 < 0.3 ? 1 : 0) }
        let maps = [values[..<200], values[200...]].map {
            ScoreMap(height: $0.count / 20, width: 20, values: Array($0))
        }
        let masks = [truth[..<200], truth[200...]].map {
            Mask(height: $0.count / 20, width: 20, values: Array($0))
        }
        let single = ClassificationMetrics(scores: values.map { Double($0) }, faulty: truth.map { $0 == 1 })
        #expect(ClassificationMetrics(maps: maps, masks: masks) == single)
    }

    @Test func tiesCountHalf() {
        let metrics = ClassificationMetrics(scores: [1, 1, 1, 1], faulty: [true, false, false, true])
        #expect(metrics.rocAUC == 0.5)
        #expect(metrics.averagePrecision == 0.5)
        #expect(metrics.bestDice == 4.0 / 6)
        #expect(metrics.bestDiceThreshold == 1)
    }

    @Test func oneClassAloneHasNoArea() {
        let normal = ClassificationMetrics(scores: [1, 2], faulty: [false, false])
        #expect(normal.rocAUC == nil && normal.averagePrecision == nil && normal.bestDice == 0)
        #expect(ClassificationMetrics(scores: [1, 2], faulty: [true, true]).rocAUC == nil)
    }

    @Test func scoresOfNothingGiveThresholdZero() {
        let greedy = GreedyThreshold.accuracy(scores: [0, 0, 0], faulty: [false, false, true])
        #expect(greedy.threshold == 0)
        #expect(abs(greedy.figure - 2.0 / 3) < 1e-12)
    }
}

@Suite struct CalibrationTests {
    @Test func severityIsTwoSided() {
        let scale = SeverityScale(normalScores: (0...100).map { Double($0) })
        #expect(abs(scale.severity(of: 50)) < 1e-12)
        #expect(abs(scale.severity(of: 84) - 1) < 1e-9)
        #expect(abs(scale.severity(of: 16) - 1) < 1e-9)
        #expect(scale.severity(of: 0) > 1.4)
    }

    @Test(arguments: [[0.3], [0.2, 0.2, 0.2], [0, 0]]) func framesAllAlikeGiveAFiniteScale(scores: [Double]) {
        let scale = SeverityScale(normalScores: scores)
        #expect(scale.severity(of: scores[0]) == 0)
        #expect(scale.severity(of: 1).isFinite)
    }

    @Test(arguments: [(99, 0.01, 99.0), (99, 0.1, 90), (19, 0.05, 19), (20, 0.05, 20), (9, 0.5, 5)])
    func takesTheConformalQuantile(count: Int, rate: Double, expected: Double) {
        let threshold = ConformalThreshold(
            normalValues: (1...count).map { Double($0) }.shuffled(),
            falseAlarmRate: rate
        )
        #expect(threshold.value == expected)
        #expect(!threshold.isExtrapolated)
        #expect(threshold.frameCount == count)
        #expect(ConformalThreshold.framesNeeded(falseAlarmRate: rate) <= count)
    }

    @Test(arguments: [1, 2, 5, 98]) func saysThatItExtrapolates(count: Int) {
        let values = (1...count).map { Double($0) }
        let rates = [0.005, 0.001, 1e-5]
        let thresholds = rates.map { ConformalThreshold(normalValues: values, falseAlarmRate: $0) }
        #expect(thresholds.allSatisfy { $0.isExtrapolated && $0.value >= Double(count) })
        #expect(zip(thresholds, thresholds.dropFirst()).allSatisfy { $0.value < $1.value })
        #expect(rates.allSatisfy { ConformalThreshold.framesNeeded(falseAlarmRate: $0) > count })
    }

    @Test func extrapolatesAnExponentialTailWell() {
        var generator = SplitMix64(state: 4)
        let values = (0..<2000).map { _ in -log(1 - Double(generator.nextUniform())) }
        let threshold = ConformalThreshold(normalValues: values, falseAlarmRate: 1e-4)
        #expect(threshold.isExtrapolated)
        #expect(abs(threshold.value - log(1e4)) < 1)
    }

    @Test func realisesItsRateOnFramesItHasNotSeen() {
        var generator = SplitMix64(state: 5)
        var alarms = 0
        for _ in 0..<400 {
            let values = (0..<50).map { _ in Double(generator.nextGaussian()) }
            let threshold = ConformalThreshold(normalValues: values, falseAlarmRate: 0.1)
            for _ in 0..<25 where Double(generator.nextGaussian()) > threshold.value { alarms += 1 }
        }
        #expect((700...1150).contains(alarms), "\(alarms) of 10 000")
    }

    @Test func mapsOfNormalFramesGiveTheMaskThreshold() {
        let maps = (1...19).map { seed in
            ScoreMap(height: 16, width: 18, values: randomValues(16 * 18, seed: seed))
        }
        let filter = ComponentFilter()
        let threshold = ConformalThreshold(normalMaps: maps, filter: filter, falseAlarmRate: 0.1)
        let marked = maps.count { filter.mask(of: $0, above: threshold.value).area > 0 }
        #expect(marked == 1)
    }

    @Test func survivesJSON() throws {
        let threshold = ConformalThreshold(normalValues: [1, 2, 3], falseAlarmRate: 0.01)
        let scale = SeverityScale(normalScores: [1, 2, 5])
        let copies = try (
            JSONDecoder().decode(ConformalThreshold.self, from: JSONEncoder().encode(threshold)),
            JSONDecoder().decode(SeverityScale.self, from: JSONEncoder().encode(scale))
        )
        #expect(copies.0 == threshold && copies.1 == scale)
        let broken = Data(#"{"median": 1, "spreadAbove": 0, "spreadBelow": 1}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(SeverityScale.self, from: broken) }
    }
}
