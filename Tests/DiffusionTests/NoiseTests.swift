import Diffusion
import Foundation
import Randomness
import TestSupport
import Testing

@Suite struct NoiseTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedFields() throws {
        let fixture = try Fixture("simplex_noise")
        let seeds = fixture.names.filter { $0.hasPrefix("perm_") }.compactMap { Int64($0.dropFirst(5)) }
        #expect(!seeds.isEmpty)
        for seed in seeds {
            let noise = SimplexNoise(seed: seed)
            #expect(try noise.permutation.map { Int($0) } == fixture.integers("perm_\(seed)").values)
            let expected = try fixture.doubles("octaves_\(seed)")
            let field = noise.octaves(height: expected.shape[0], width: expected.shape[1])
            #expect(largestDifference(field, expected.values) < 1e-6, "seed \(seed)")
        }
    }

    @Test(arguments: oddSizes) func kernelAgreesWithTwin(height: Int, width: Int) {
        let noise = SimplexNoise(seed: -5)
        for frequency in [64, 7.5, 2, 0.8] {
            let field = noise.octaves(
                height: height,
                width: width,
                octaves: 1,
                persistence: 1,
                firstFrequency: frequency
            )
            let twin = (0..<height * width).map { pixel in
                let (row, column) = pixel.quotientAndRemainder(dividingBy: width)
                return Reference.noise(
                    noise.permutation,
                    x: Double(column) / frequency,
                    y: Double(row) / frequency
                )
            }
            #expect(largestDifference(field, twin) < 1e-6, "frequency \(frequency)")
        }
    }

    @Test func aFieldIsThePartOfALargerOne() {
        let noise = SimplexNoise(seed: 9)
        let large = noise.octaves(height: 50, width: 90)
        let small = noise.octaves(height: 20, width: 30)
        let part = (0..<20).flatMap { large[$0 * 90..<$0 * 90 + 30] }
        #expect(largestDifference(small, part) < 1e-6)
    }

    @Test(arguments: NoiseKind.allCases) func sameStateGivesSameField(kind: NoiseKind) {
        var first = SplitMix64(state: 11)
        let field = kind.field(height: 13, width: 21, using: &first)
        var second = SplitMix64(state: 11)
        #expect(kind.field(height: 13, width: 21, using: &second) == field)
        #expect(first == second)
        #expect(kind.field(height: 13, width: 21, using: &second) != field)
    }

    @Test func gaussianHasItsMoments() {
        var generator = SplitMix64(state: 3)
        let field = NoiseKind.gaussian.field(height: 200, width: 250, using: &generator)
        let mean = field.reduce(0, +) / Float(field.count)
        let variance = field.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(field.count)
        #expect(abs(mean) < 0.02)
        #expect(abs(variance - 1) < 0.03)
    }

    @Test func coarseNoiseIsSmoothApartFromTheSeamOfItsRoll() {
        var generator = SplitMix64(state: 8)
        let (height, width) = (160, 320)
        let field = NoiseKind.coarse.field(height: height, width: width, using: &generator)
        let largest = field.reduce(0) { max($0, abs($1)) }
        #expect(largest > 0.2 && largest < 1)
        let jumps = (1..<width).filter { column in
            (0..<height).contains { abs(field[$0 * width + column] - field[$0 * width + column - 1]) > 0.1 }
        }
        #expect(jumps.count <= 1)
    }

    @Test func generatorContinuesFromItsState() {
        // The numbers commonly listed for seed 1234567.
        var generator = SplitMix64(state: 1_234_567)
        let first = [generator.next(), generator.next(), generator.next()]
        #expect(first == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
        var copy = SplitMix64(state: generator.state)
        #expect(copy.nextGaussian() == generator.nextGaussian())
        #expect((0..<1000).allSatisfy { _ in (0..<1).contains(copy.nextUniform()) })
    }
}

@Suite struct DiffusionScheduleTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedSchedule() throws {
        let fixture = try Fixture("cosine_schedule")
        let expected = try fixture.floats("alphas_cumprod")
        let schedule = DiffusionSchedule(count: expected.values.count)
        #expect(largestDifference(schedule.signalVariance, expected.values) < 1e-6)
        let signal = try fixture.floats("sqrt_alphas_cumprod").values
        #expect(largestDifference(schedule.signalScale, signal) < 1e-6)
        let noise = try fixture.floats("sqrt_one_minus_alphas_cumprod").values
        #expect(largestDifference(schedule.noiseScale, noise) < 1e-6)
    }

    @Test(arguments: [1, 2, 50, 1000]) func fallsWhateverTheCount(count: Int) {
        let schedule = DiffusionSchedule(count: count)
        #expect(schedule.count == count)
        #expect(zip(schedule.signalVariance, schedule.signalVariance.dropFirst()).allSatisfy { $0 > $1 })
    }
}
