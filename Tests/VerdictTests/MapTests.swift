import Diffusion
import Foundation
import Plate
import TestSupport
import Testing
import Verdict

@Suite struct MapTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedMedianScoresAndMask() throws {
        let fixture = try Fixture("residual_and_mask")
        let residual = try fixture.floats("l1_ssim")
        let median = try fixture.floats("median5")
        let (height, width) = (median.shape[0], median.shape[1])
        let map = ScoreMap(height: height, width: width, values: residual.values).medianFiltered()
        #expect(map.values == median.values)

        let expected = try ExpectedValues()
        let scores = ImageScores(map: map)
        #expect(try scores.maximum == expected.number("scores", "max"))
        #expect(try abs(scores.mean - expected.number("scores", "mean")) < 1e-7)
        #expect(try abs(scores.patch - expected.number("scores", "patch_max_16_8")) < 1e-7)

        let threshold = try expected.number("scores", "threshold")
        let raw = ComponentFilter(largestRemovedArea: 0).mask(of: map, above: threshold)
        #expect(try raw.values == fixture.bytes("mask_raw").values)
        let filtered = ComponentFilter().mask(of: map, above: threshold)
        #expect(try filtered.values == fixture.bytes("mask_filtered").values)
    }

    @Test(arguments: oddSizes) func medianAgreesWithTwin(height: Int, width: Int) {
        let map = ScoreMap(height: height, width: width, values: randomValues(height * width, seed: 1))
        #expect(map.medianFiltered().values == Reference.median5(map))
        let ties = ScoreMap(height: height, width: width, values: map.values.map { ($0 * 3).rounded() })
        #expect(ties.medianFiltered().values == Reference.median5(ties))
    }

    @Test func patchScoreLooksAtWholeWindows() {
        var map = ScoreMap(height: 37, width: 29, values: [Float](repeating: 0, count: 37 * 29))
        for row in 8..<24 { for column in 8..<24 { map.values[row * 29 + column] = 2 } }
        map.values[36 * 29 + 28] = 100
        let scores = ImageScores(map: map)
        #expect(scores.patch == 2)
        #expect(scores.maximum == 100)
    }

    @Test(arguments: oddSizes + [(16, 16), (24, 16), (17, 40), (63, 71), (100, 130)])
    func scoresAgreeWithTwin(height: Int, width: Int) {
        let values = randomValues(height * width, seed: 3, in: -0.5...1)
        for map in [values, values.map { $0 - 2 }].map({ ScoreMap(height: height, width: width, values: $0) })
        {
            let (scores, twin) = (ImageScores(map: map), Reference.scores(map))
            #expect(scores.maximum == twin.maximum)
            #expect(abs(scores.mean - twin.mean) < 1e-12)
            #expect(abs(scores.patch - twin.patch) < 1e-12)
        }
    }

    @Test func filteringLeavesAMapThatIsStillInUse() {
        let map = ScoreMap(height: 9, width: 11, values: randomValues(99, seed: 4))
        let same = map
        #expect(map.medianFiltered().values == Reference.median5(same))
        #expect(map == same)
    }

    @Test func severalThreadsMayAskAtOnce() async {
        let maps = (0..<8).map {
            ScoreMap(height: 61, width: 83, values: randomValues(61 * 83, seed: UInt64($0)))
        }
        let work = { @Sendable (map: ScoreMap) in map.medianFiltered().windowMean(7) }
        let alone = maps.map(work)
        let together = await withTaskGroup(of: (Int, ScoreMap).self) { group in
            for (index, map) in maps.enumerated() { group.addTask { (index, work(map)) } }
            return await group.reduce(into: maps) { $0[$1.0] = $1.1 }
        }
        #expect(together == alone)
    }

    @Test func aMapSmallerThanAWindowIsOne() {
        let scores = ImageScores(map: ScoreMap(height: 2, width: 2, values: [1, 2, 3, 6]))
        #expect(scores == ImageScores(maximum: 6, mean: 3, patch: 3))
    }
}

@Suite struct ComponentFilterTests {
    @Test(arguments: oddSizes, [0.2, 0.4, 0.6]) func agreesWithFlooding(size: (Int, Int), density: Float) {
        let values = randomValues(size.0 * size.1, seed: 2).map { UInt8($0 < density ? 1 : 0) }
        let mask = Mask(height: size.0, width: size.1, values: values)
        let flooded = Reference.components(mask)
        let filter = ComponentFilter(largestRemovedArea: 3)
        var expected = mask
        for component in flooded where component.count <= 3 {
            for index in component { expected.values[index] = 0 }
        }
        #expect(filter.filtered(mask) == expected)
    }

    /// Long stretches, which the kernel takes eight pixels at a time, at every offset.
    @Test(arguments: 1...40) func longRunsAgreeWithFlooding(length: Int) {
        let width = 67
        var mask = Mask(height: 27, width: width, values: [UInt8](repeating: 0, count: 27 * width))
        for row in 0..<27 { for column in row..<row + length { mask.values[row * width + column] = 1 } }
        for row in stride(from: 0, to: 27, by: 3) { mask.values[row * width + row + length / 2] = 0 }
        let flooded = Reference.components(mask)
        for removed in Set(flooded.map(\.count)) {
            var expected = mask
            for pixel in flooded.filter({ $0.count <= removed }).joined() { expected.values[pixel] = 0 }
            #expect(ComponentFilter(largestRemovedArea: removed).filtered(mask) == expected)
        }
    }

    @Test func cornersConnect() {
        let mask = Mask(height: 3, width: 4, values: [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1])
        let pair = Mask(height: 3, width: 4, values: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        #expect(ComponentFilter(largestRemovedArea: 1).filtered(mask) == pair)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func masksAreEmptyFromTheOnsetOn(seed: UInt64) {
        let map = ScoreMap(height: 19, width: 23, values: randomValues(19 * 23, seed: seed))
        let filter = ComponentFilter()
        let onset = filter.onset(of: map)
        #expect(filter.mask(of: map, above: Double(onset)).area == 0)
        #expect(filter.mask(of: map, above: Double(onset.nextDown)).area > 0)
    }

    @Test func smallComponentsHaveNoOnset() {
        var map = ScoreMap(height: 9, width: 9, values: [Float](repeating: 0, count: 81))
        map.values[40] = 5
        #expect(ComponentFilter().onset(of: map) == 0)
    }
}
