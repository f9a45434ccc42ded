import Diffusion
import Foundation
import Plate
import TestSupport
import Testing

/// The published maps are float32 and subtract squares of means from means of squares, which costs them up to
/// 1.6e-4 where the image is smooth; the twin in Double tells the kernel's own error from theirs.
@Suite struct ResidualTests {
    private static let publishedRounding = 2e-4

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedMaps() throws {
        let pair = try ImagePair()
        let l1 = pair.map(.l1)
        #expect(try largestDifference(l1, pair.fixture.floats("l1").values) < 1e-5)
        let dssim = pair.map(.dssim)
        #expect(try largestDifference(dssim, pair.fixture.floats("dssim").values) < Self.publishedRounding)
        let both = pair.map(.l1DSSIM)
        #expect(try largestDifference(both, pair.fixture.floats("l1_ssim").values) < Self.publishedRounding)
        let twin = Reference.dssim(pair.input, pair.reconstruction, height: pair.height, width: pair.width)
        #expect(largestDifference(dssim, twin) < 5e-5)
        #expect(pair.map(.l2) == l1.map { $0 * $0 })
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedGradient() throws {
        let pair = try ImagePair()
        let loss = StructuralLoss.half.valueAndGradient(
            input: pair.input,
            reconstruction: pair.reconstruction,
            count: 1,
            height: pair.height,
            width: pair.width
        )
        #expect(try abs(Double(loss.value) - ExpectedValues().number("scores", "loss_mean")) < 1e-5)
        let expected = try pair.fixture.floats("grad_mean_l1_ssim").values
        let error = zip(loss.gradient, expected).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
        let size = expected.reduce(0.0) { $0 + pow(Double($1), 2) }
        #expect((error / size).squareRoot() < 1e-3)
    }

    @Test(arguments: oddSizes) func kernelAgreesWithTwin(height: Int, width: Int) {
        let input = randomValues(2 * height * width, seed: 1, in: -1...1)
        let reconstruction = randomValues(2 * height * width, seed: 2, in: -1...1)
        let map = StructuralLoss(structure: 0.7, absolute: 0.2).map(
            input: input,
            reconstruction: reconstruction,
            count: 2,
            height: height,
            width: width
        )
        let twin = [0, height * width].flatMap { start in
            let image = start..<start + height * width
            return Reference.dssim(
                Array(input[image]),
                Array(reconstruction[image]),
                height: height,
                width: width
            )
        }
        let expected = twin.indices.map { 0.7 * twin[$0] + 0.2 * Double(abs(input[$0] - reconstruction[$0])) }
        #expect(largestDifference(map, expected) < 1e-5)
    }

    @Test(arguments: oddSizes) func differencesAgreeWithTwins(height: Int, width: Int) {
        let input = randomValues(height * width, seed: 9)
        let reconstruction = randomValues(height * width, seed: 10)
        let map = { (residual: Residual) in
            residual.map(input: input, reconstruction: reconstruction, height: height, width: width).values
        }
        let differences = zip(input, reconstruction).map { $0 - $1 }
        #expect(map(.l1) == differences.map { abs($0) })
        #expect(map(.l2) == differences.map { $0 * $0 })
    }

    @Test(arguments: [(1, 1), (2, 5), (7, 9)]) func gradientAgreesWithDifferences(height: Int, width: Int) {
        let count = 2 * height * width
        let input = randomValues(count, seed: 3)
        let reconstruction = zip(input, randomValues(count, seed: 4, in: 0.1...0.3)).map { $0 + $1 }
        let upstream = randomValues(count, seed: 5, in: -1...1)
        let loss = StructuralLoss(structure: 0.6, absolute: 0.3)
        let total = { (reconstruction: [Float]) in
            let map = loss.map(
                input: input,
                reconstruction: reconstruction,
                count: 2,
                height: height,
                width: width
            )
            return zip(map, upstream).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        }
        let gradient = loss.gradient(
            input: input,
            reconstruction: reconstruction,
            upstream: upstream,
            count: 2,
            height: height,
            width: width
        )
        let step: Float = 1e-3
        let numeric = (0..<count).map { index in
            var (above, below) = (reconstruction, reconstruction)
            above[index] += step
            below[index] -= step
            return (total(above) - total(below)) / Double(above[index] - below[index])
        }
        #expect(largestDifference(gradient, numeric) < 2e-3)
    }

    @Test func equalImagesHaveNoLossAndNoGradient() {
        let image = randomValues(11 * 13, seed: 6)
        let loss = StructuralLoss.half.valueAndGradient(
            input: image,
            reconstruction: image,
            count: 1,
            height: 11,
            width: 13
        )
        #expect(loss.value == 0)
        #expect(loss.gradient.allSatisfy { $0 == 0 })
    }

    @Test func weightsChooseThePixels() {
        let input = randomValues(64, seed: 7)
        let reconstruction = randomValues(64, seed: 8)
        let weights = (0..<64).map { Float($0 % 8 < 4 ? 1 : 0) }
        let loss = StructuralLoss(structure: 0, absolute: 1).valueAndGradient(
            input: input,
            reconstruction: reconstruction,
            count: 1,
            height: 8,
            width: 8,
            weights: weights
        )
        let inside = (0..<64).filter { weights[$0] == 1 }.map { abs(input[$0] - reconstruction[$0]) }
        #expect(abs(loss.value - inside.reduce(0, +) / 32) < 1e-6)
        #expect((0..<64).allSatisfy { (weights[$0] == 0) == (loss.gradient[$0] == 0) })
    }
}

/// The golden image and its reconstruction.
struct ImagePair {
    let fixture: Fixture
    let input: [Float]
    let reconstruction: [Float]
    let height: Int
    let width: Int

    init() throws {
        fixture = try Fixture("residual_and_mask")
        let image = try fixture.floats("input")
        input = image.values
        reconstruction = try fixture.floats("reconstruction").values
        (height, width) = (image.shape[2], image.shape[3])
    }

    func map(_ residual: Residual) -> [Float] {
        residual.map(input: input, reconstruction: reconstruction, height: height, width: width).values
    }
}
