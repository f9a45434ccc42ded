import Foundation
import Plate
import TestSupport
import Testing

@testable import Benchmarking

@Suite struct QualityMetricsTests {
    @Test func blurMakesTheSpectrumSteepAndTheLaplacianSmall() {
        let sharp = TinyBenchmark.noise(seed: 1)
        var blurred = sharp
        for row in 0..<48 {
            for column in 0..<64 {
                let around = (0..<25).map { sharp[(row + $0 / 5) % 48, (column + $0 % 5) % 64] }
                blurred[row, column] = around.reduce(0, +) / 25
            }
        }
        let (before, after) = (QualityMetrics(of: sharp), QualityMetrics(of: blurred))
        #expect(abs(before.powerLogLogSlope) < 0.3, "white noise has as much of every frequency")
        #expect(after.powerLogLogSlope < -1)
        #expect(after.laplacianVariance < before.laplacianVariance / 50)
        #expect(after.localFocusScore < before.localFocusScore / 5)
        #expect(abs(after.intensityMean - before.intensityMean) < 0.1)
    }

    @Test func slopeFollowsThePowerLaw() {
        // Waves along the rows, each as strong as one over its frequency: its power falls as f^-2, and as
        // f^-3 in the mean over a ring, whose length is f.
        var frame = Frame(height: 128, width: 128, pixels: [Float](repeating: 0, count: 128 * 128))
        for column in 0..<128 {
            let sum = (1...64).reduce(0.0) { sum, wave in
                sum + cos(2 * Double.pi * Double(wave * column) / 128 + Double(wave * wave)) / Double(wave)
            }
            for row in 0..<128 { frame[row, column] = Float(sum) }
        }
        #expect(abs(QualityMetrics(of: frame).powerLogLogSlope + 3) < 0.4)
    }

    @Test func simpleFramesHaveTheMetricsOfTheirMaking() {
        var plane = Frame(height: 30, width: 40, pixels: [Float](repeating: 0, count: 1200))
        for row in 0..<30 {
            for column in 0..<40 { plane[row, column] = 100 + 0.6 * Float(row) + 0.5 * Float(column) }
        }
        let metrics = QualityMetrics(of: plane)
        let mean = 100 + 0.6 * 14.5 + 0.5 * 19.5
        #expect(abs(metrics.intensityMean - mean) < 1e-3)
        #expect(abs(metrics.illuminationGradient - (18 * 18 + 20 * 20).squareRoot() / mean) < 1e-3)
        #expect(metrics.laplacianVariance < 1e-6)
        #expect(abs(metrics.percentMaximal - 100.0 / 1200) < 1e-9)
        let spread = (0.36 * (900.0 - 1) / 12 + 0.25 * (1600.0 - 1) / 12).squareRoot()
        #expect(abs(metrics.intensitySpread - spread) < 1e-3)
    }

    @Test(arguments: [(1, 1), (1, 40), (7, 7), (3, 50)])
    func anySizeAndABlankFrameHaveFiniteMetrics(height: Int, width: Int) {
        for value in [Float(0), 17] {
            let pixels = [Float](repeating: value, count: height * width)
            let metrics = QualityMetrics(of: Frame(height: height, width: width, pixels: pixels))
            #expect(metrics.percentMaximal == 100 && metrics.percentMinimal == 100)
            #expect(metrics.powerLogLogSlope == 0 && metrics.laplacianVariance == 0)
            #expect(metrics.illuminationGradient.isFinite && metrics.localFocusScore.isFinite)
        }
    }
}

@Suite struct RobustDistanceTests {
    private func gaussian(_ count: Int, _ random: inout TestGenerator) -> [[Double]] {
        (0..<count).map { _ in
            let uniform = (0..<4).map { _ in Double.random(in: 1e-9..<1, using: &random) }
            let radius = ((-2 * log(uniform[0])).squareRoot(), (-2 * log(uniform[2])).squareRoot())
            let x = radius.0 * cos(2 * .pi * uniform[1])
            // The second coordinate follows the first, the third is on another scale.
            return [
                x, x + 0.2 * radius.0 * sin(2 * .pi * uniform[1]),
                1000 * radius.1 * cos(2 * .pi * uniform[3]),
            ]
        }
    }

    @Test func distancesOfGaussianPointsAreInStandardDeviations() {
        var random = TestGenerator(seed: 5)
        let points = gaussian(2000, &random)
        let distance = RobustDistance(points: points)
        let squares = points.map { distance.distance(of: $0) * distance.distance(of: $0) }
        // Three dimensions; the shrinkage shortens the distances somewhat across the narrow direction.
        let mean = squares.reduce(0, +) / 2000
        #expect((2.2...3.3).contains(mean), "\(mean)")
        #expect(
            distance.distance(of: [1, -1, 0]) > 2 * distance.distance(of: [1, 1, 0]),
            "off the ridge is far"
        )
    }

    @Test func aThirdOfOutliersHidesNothing() {
        var random = TestGenerator(seed: 6)
        let clean = gaussian(200, &random)
        let outliers = gaussian(100, &random).map { [$0[0] + 12, $0[1] - 12, $0[2] + 9000] }
        let distance = RobustDistance(points: clean + outliers)
        let farthest = clean.map { distance.distance(of: $0) }.max() ?? 0
        let nearest = outliers.map { distance.distance(of: $0) }.min() ?? 0
        #expect(nearest > farthest)
    }

    @Test(arguments: [1, 2, 3, 9])
    func fewPointsAndCoordinatesThatSayTheSameDoNotExplode(count: Int) {
        let points = (0..<count).map { [Double($0), 2 * Double($0), 5, 0] }
        let distance = RobustDistance(points: points)
        for point in points { #expect(distance.distance(of: point) < 10) }
        let far = distance.distance(of: [3, 6, 6, 1])
        #expect(far.isFinite && far > 10)
    }
}
