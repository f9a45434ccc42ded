import Foundation
import Plate
import Randomness
import TestSupport
import Testing

@testable import Verdict

@Suite struct CalibrationTests {
    @Test func distancesAreTwoSided() {
        let scale = SeverityScale(normalValues: (0...100).map { Double($0) })
        #expect(abs(scale.distance(of: 50)) < 1e-12)
        #expect(abs(scale.distance(of: 84) - 1) < 1e-9)
        #expect(abs(scale.distance(of: 16) + 1) < 1e-9)
        #expect(scale.distance(of: 0) < -1.4)
    }

    @Test func longTailsMakeAWiderSpreadAndTheOutermostTwoValuesDoNot() {
        let usual = (0..<40).map { sin(Double($0)) }
        let before = SeverityScale(normalValues: usual)
        // A tenth of the wells is far below, as wells with hardly any cells are.
        let sparse = SeverityScale(normalValues: usual + [-9, -9.5, -10, -10.5])
        #expect(
            sparse.spreadBelow > 2.5 * before.spreadBelow && sparse.spreadAbove < 1.2 * before.spreadAbove
        )
        let odd = SeverityScale(normalValues: usual + [-90, -95])
        #expect(odd.spreadBelow < 1.3 * before.spreadBelow)
    }

    @Test(arguments: [[0.3], [0.2, 0.2, 0.2], [0, 0]]) func framesAllAlikeGiveAFiniteScale(scores: [Double]) {
        let scale = SeverityScale(normalValues: scores)
        #expect(scale.distance(of: scores[0]) == 0)
        #expect(scale.distance(of: 1).isFinite)
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
        let threshold = ConformalThreshold(
            normalValues: maps.map { Double(filter.onset(of: $0)) },
            falseAlarmRate: 0.1
        )
        let marked = maps.count { filter.mask(of: $0, above: threshold.value).area > 0 }
        #expect(marked == 1)
    }

    @Test func survivesJSON() throws {
        let threshold = ConformalThreshold(normalValues: [1, 2, 3], falseAlarmRate: 0.01)
        let scale = SeverityScale(normalValues: [1, 2, 5])
        let copies = try (
            JSONDecoder().decode(ConformalThreshold.self, from: JSONEncoder().encode(threshold)),
            JSONDecoder().decode(SeverityScale.self, from: JSONEncoder().encode(scale))
        )
        #expect(copies.0 == threshold && copies.1 == scale)
        let broken = Data(#"{"median": 1, "spreadAbove": 0, "spreadBelow": 1}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(SeverityScale.self, from: broken) }
    }
}
