import Foundation
import Mathematics
import Plate
import TestSupport
import Testing

struct QuantilesTests {
    @Test func mediansOfOddAndEvenCounts() {
        #expect([3.0, 1, 2].median == 2)
        #expect([4.0, 1, 2, 3].median == 2.5)
        #expect(([4, 1, 2, 3] as [Float]).upperMedian == 3)
        #expect([Float(7)].median == 7)
    }

    @Test func quantilesAreLinearBetweenRanks() {
        let values = [30.0, 0, 10, 20]
        #expect(values.quantiles([0, 0.5, 1]) == [0, 15, 30])
        #expect(abs(values.quantiles([0.84])[0] - 25.2) < 1e-12)
    }
}

struct CholeskyTests {
    @Test func theInverseFactorMakesACovarianceTheIdentity() {
        let n = 5
        var random = TestGenerator(seed: 3)
        let root = (0..<n * n).map { _ in Double.random(in: -1...1, using: &random) }
        let matrix = (0..<n * n).map { index in
            let (row, column) = (index / n, index % n)
            let product = (0..<n).reduce(0) { $0 + root[row * n + $1] * root[column * n + $1] }
            return product + (row == column ? 0.1 : 0)
        }
        let factor = Cholesky.inverseFactor(of: matrix, dimensions: n)
        for row in 0..<n {
            for column in 0..<n {
                if column > row { #expect(factor[row * n + column] == 0) }
                var value = 0.0
                for i in 0..<n {
                    for j in 0..<n {
                        value += factor[row * n + i] * matrix[i * n + j] * factor[column * n + j]
                    }
                }
                #expect(abs(value - (row == column ? 1 : 0)) < 1e-9)
            }
        }
    }

    @Test func distancesAreInStandardDeviations() {
        // Variances 4 and 9, not correlated.
        let factor = Cholesky.inverseFactor(of: [4, 0, 0, 9], dimensions: 2)
        #expect(abs(Cholesky.squaredDistance([2, 6], inverseFactor: factor) - 5) < 1e-12)
    }
}

struct SeparableFilterTests {
    @Test func aBorderIsAMirrorOrRepeatsItsLastPixel() {
        let frame = Frame(height: 1, width: 3, pixels: [1, 2, 3])
        let taps: [Float] = [1, 0, 0, 0, 0, 0, 0]
        // The pixel three to the left: 3 2 1 | 1 2 3.
        #expect(SeparableFilter.alongRows(frame, taps, .mirrored).pixels == [3, 2, 1])
        #expect(SeparableFilter.alongRows(frame, taps, .repeated).pixels == [1, 1, 1])
        let column = Frame(height: 3, width: 1, pixels: [1, 2, 3])
        #expect(SeparableFilter.alongColumns(column, taps, .mirrored).pixels == [3, 2, 1])
        #expect(SeparableFilter.alongColumns(column, taps.reversed(), .repeated).pixels == [3, 3, 3])
    }
}

struct RadialSpectrumTests {
    /// White noise filtered by nothing has a slope of 0, whatever is weighed.
    @Test func noiseIsFlat() {
        var random = TestGenerator(seed: 4)
        let pixels = (0..<160 * 200).map { _ in Float.random(in: -1...1, using: &random) }
        let spectrum = RadialSpectrum(of: Frame(height: 160, width: 200, pixels: pixels))
        #expect(abs(spectrum.slope) < 0.1)
        #expect(abs(spectrum.slope(periods: 3.3...33)) < 0.2)
    }

    /// Waves in one direction, each as strong as one over its frequency; a ring is as long as its frequency.
    @Test func aPowerLawIsFoundBetweenPeriods() {
        var frame = Frame(height: 256, width: 256, pixels: [Float](repeating: 0, count: 256 * 256))
        for column in 0..<256 {
            let sum = (1...128).reduce(0.0) { sum, wave in
                sum + cos(2 * Double.pi * Double(wave * column) / 256 + Double(wave * wave)) / Double(wave)
            }
            for row in 0..<256 { frame[row, column] = Float(sum) }
        }
        #expect(abs(RadialSpectrum(of: frame).slope(periods: 3.3...33) + 3) < 0.1)
    }

    /// Parseval: a window of ones has all power of a wave at the wave's own frequency.
    @Test func aWavePeaksAtItsFrequency() throws {
        var frame = Frame(height: 64, width: 64, pixels: [Float](repeating: 0, count: 64 * 64))
        for row in 0..<64 {
            for column in 0..<64 { frame[row, column] = Float(cos(2 * Double.pi * Double(row) / 8)) }
        }
        let power = RadialSpectrum(of: frame).power
        let peak = try #require(power.indices.max { power[$0] < power[$1] })
        #expect(peak + 1 == 8)
    }
}

struct GaussianBlurTests {
    @Test func aPointBecomesTheProductOfTheKernels() {
        var frame = Frame(height: 21, width: 31, pixels: [Float](repeating: 0, count: 21 * 31))
        frame[10, 15] = 1
        let blurred = GaussianBlur.blurred(frame, sigma: 1.2)
        let kernel = GaussianBlur.kernel(sigma: 1.2, radius: 4)
        #expect(abs(kernel.reduce(0, +) - 1) < 1e-6)
        for row in 0..<21 {
            for column in 0..<31 {
                let (down, right) = (row - 10 + 4, column - 15 + 4)
                let inside = kernel.indices.contains(down) && kernel.indices.contains(right)
                let expected = inside ? kernel[down] * kernel[right] : 0
                #expect(abs(blurred[row, column] - expected) < 1e-7)
            }
        }
    }

    /// The border repeats its last pixel, so an even frame stays even, and a small sigma changes nothing.
    @Test(arguments: [(1, 1), (1, 9), (3, 40)])
    func anEvenFrameStaysEven(height: Int, width: Int) {
        let pixels = [Float](repeating: 12, count: height * width)
        let frame = Frame(height: height, width: width, pixels: pixels)
        #expect(GaussianBlur.blurred(frame, sigma: 3).pixels.allSatisfy { abs($0 - 12) < 1e-4 })
        #expect(GaussianBlur.blurred(frame, sigma: 0.05) == frame)
        #expect(GaussianBlur.blurred(frame, sigma: 0) == frame)
    }

    /// Pinned: sets with injected defocus keep their bytes.
    @Test func sumsAreTakenInOrder() {
        var random = TestGenerator(seed: 9)
        let pixels = (0..<23 * 37).map { _ in Float.random(in: 0...255, using: &random) }
        let frame = Frame(height: 23, width: 37, pixels: pixels)
        let kernel = GaussianBlur.kernel(sigma: 1.7, radius: 6)
        func plain(_ frame: Frame, down: Int, right: Int) -> Frame {
            var result = frame
            for row in 0..<23 {
                for column in 0..<37 {
                    var sum: Float = 0
                    for tap in -6...6 {
                        let y = min(max(row + tap * down, 0), 22)
                        let x = min(max(column + tap * right, 0), 36)
                        sum += kernel[tap + 6] * frame[y, x]
                    }
                    result[row, column] = sum
                }
            }
            return result
        }
        let expected = plain(plain(frame, down: 0, right: 1), down: 1, right: 0)
        #expect(GaussianBlur.blurred(frame, sigma: 1.7) == expected)
    }
}

struct RunLabellingTests {
    private func mask(_ drawing: String) -> Mask {
        let rows = drawing.split(separator: "\n")
        let values = rows.flatMap { $0.map { $0 == "#" ? UInt8(1) : 0 } }
        return Mask(height: rows.count, width: rows[0].count, values: values)
    }

    @Test func cornersJoinOnlyEightNeighbours() {
        let drawing = mask("#..#\n.##.\n....\n#.##")
        #expect(PixelLabels(drawing, connectivity: .eight).sizes == [4, 1, 2])
        #expect(PixelLabels(drawing, connectivity: .four).sizes == [1, 1, 2, 1, 2])
    }

    /// The comb's teeth are found apart and joined by its back, below.
    @Test func labelsAreInReadingOrder() {
        let labels = PixelLabels(mask(".#.#\n##.#\n...#\n####"), connectivity: .four)
        #expect(labels.sizes == [3, 7])
        #expect(labels.labels == [-1, 0, -1, 1, 0, 0, -1, 1, -1, -1, -1, 1, 1, 1, 1, 1])
        #expect(labels.largestFirst == [1, 0])
        #expect(labels.label(x: 3, y: 0) == 1 && labels.label(x: 4, y: 0) == -1)
    }

    /// Against a flood fill from each pixel in reading order, over masks of all densities.
    @Test(arguments: RunLabelling.Connectivity.allCases)
    func everyMaskIsLabelledAsByAFloodFill(connectivity: RunLabelling.Connectivity) {
        var random = TestGenerator(seed: 11)
        for share in 1...9 {
            let (height, width) = (
                Int.random(in: 1...24, using: &random), Int.random(in: 1...40, using: &random)
            )
            let values = (0..<height * width).map { _ in
                UInt8(Int.random(in: 0..<10, using: &random) < share ? 1 : 0)
            }
            let mask = Mask(height: height, width: width, values: values)
            let labels = PixelLabels(mask, connectivity: connectivity)
            #expect(labels.labels == flooded(mask, connectivity))
        }
    }

    private func flooded(_ mask: Mask, _ connectivity: RunLabelling.Connectivity) -> [Int32] {
        var labels = [Int32](repeating: -1, count: mask.values.count)
        var next: Int32 = 0
        let steps = (-1...1).flatMap { down in (-1...1).map { (down, $0) } }
            .filter { connectivity == .eight || abs($0.0) + abs($0.1) == 1 }
        for start in labels.indices where mask.values[start] == 1 && labels[start] < 0 {
            var stack = [start]
            labels[start] = next
            while let pixel = stack.popLast() {
                for (down, right) in steps {
                    let (y, x) = (pixel / mask.width + down, pixel % mask.width + right)
                    guard (0..<mask.height).contains(y), (0..<mask.width).contains(x) else { continue }
                    let index = y * mask.width + x
                    guard mask.values[index] == 1, labels[index] < 0 else { continue }
                    labels[index] = next
                    stack.append(index)
                }
            }
            next += 1
        }
        return labels
    }
}
