import Evaluation
import Foundation
import Plate
import TestSupport
import Testing

@Suite struct ClassificationMetricsTests {
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
