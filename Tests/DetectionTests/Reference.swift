import Foundation
import Plate
import Randomness

@testable import Detection

/// Plain twins of the kernels, in Double and without any cleverness.
enum Reference {
    /// SSIM as its definition says: a full 5 x 5 window per pixel, zeros beyond the border.
    static func dssim(_ x: [Float], _ y: [Float], height: Int, width: Int) -> [Double] {
        let weights = (-2...2).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
        let total = weights.reduce(0, +) * weights.reduce(0, +)
        var map: [Double] = []
        for row in 0..<height {
            for column in 0..<width {
                var sums = (x: 0.0, y: 0.0, xx: 0.0, yy: 0.0, xy: 0.0)
                for down in -2...2 where (0..<height).contains(row + down) {
                    for right in -2...2 where (0..<width).contains(column + right) {
                        let weight = weights[down + 2] * weights[right + 2] / total
                        let index = (row + down) * width + column + right
                        let (a, b) = (Double(x[index]), Double(y[index]))
                        sums.x += weight * a
                        sums.y += weight * b
                        sums.xx += weight * a * a
                        sums.yy += weight * b * b
                        sums.xy += weight * a * b
                    }
                }
                let (xx, yy) = (sums.xx - sums.x * sums.x, sums.yy - sums.y * sums.y)
                let xy = sums.xy - sums.x * sums.y
                let light =
                    (2 * sums.x * sums.y + 1e-4) / (sums.x * sums.x + sums.y * sums.y + 1e-4)
                map.append(min(max(1 - light * (2 * xy + 9e-4) / (xx + yy + 9e-4), 0), 1) / 2)
            }
        }
        return map
    }

    /// The middle of 25 sorted values.
    static func median5(_ map: ScoreMap) -> [Float] {
        let fold = { (index: Int, count: Int) in
            let inPeriod = ((index % (2 * count)) + 2 * count) % (2 * count)
            return inPeriod < count ? inPeriod : 2 * count - 1 - inPeriod
        }
        return (0..<map.height * map.width).map { pixel in
            let (row, column) = pixel.quotientAndRemainder(dividingBy: map.width)
            let window = (-2...2).flatMap { down in
                (-2...2).map { right in
                    map.values[fold(row + down, map.height) * map.width + fold(column + right, map.width)]
                }
            }
            return window.sorted()[12]
        }
    }

    /// The largest value, the mean, and the largest mean of a window of 16 x 16 that starts at multiples of 8.
    static func scores(_ map: ScoreMap) -> ImageScores {
        let total = map.values.reduce(0.0) { $0 + Double($1) }
        let mean = total / Double(map.values.count)
        var patch: Double?
        for top in stride(from: 0, through: map.height - 16, by: 8) {
            for left in stride(from: 0, through: map.width - 16, by: 8) {
                var sum = 0.0
                for row in top..<top + 16 {
                    for column in left..<left + 16 { sum += Double(map.values[row * map.width + column]) }
                }
                patch = max(patch ?? -.infinity, sum / 256)
            }
        }
        return ImageScores(
            maximum: Double(map.values.reduce(-.infinity) { max($0, $1) }),
            mean: mean,
            patch: patch ?? mean
        )
    }

    /// One octave of OpenSimplex at a point, over every vertex that could reach it.
    static func noise(_ permutation: [UInt8], x: Double, y: Double) -> Double {
        let slopes: [(Double, Double)] = [
            (5, 2), (2, 5), (-5, 2), (-2, 5), (5, -2), (2, -5), (-5, -2), (-2, -5),
        ]
        let squish = (3.0.squareRoot() - 1) / 2
        let stretch = (1 / 3.0.squareRoot() - 1) / 2
        let a = Int((x + (x + y) * stretch).rounded(.down))
        let b = Int((y + (x + y) * stretch).rounded(.down))
        var sum = 0.0
        for i in a - 2...a + 3 {
            for j in b - 2...b + 3 {
                let dx = x - Double(i) - Double(i + j) * squish
                let dy = y - Double(j) - Double(i + j) * squish
                let slope = slopes[Int(permutation[(Int(permutation[i & 255]) + j) & 255] & 14) / 2]
                sum += pow(max(0, 2 - dx * dx - dy * dy), 4) * (slope.0 * dx + slope.1 * dy)
            }
        }
        return sum / 47
    }

    /// One step of curvature flow.
    static func curvatureStep(_ frame: Frame, step: Double) -> [Float] {
        (0..<frame.pixels.count).map { pixel in
            let (row, column) = pixel.quotientAndRemainder(dividingBy: frame.width)
            let u = { (down: Int, right: Int) in
                let clampedRow = min(max(row + down, 0), frame.height - 1)
                return Double(frame[clampedRow, min(max(column + right, 0), frame.width - 1)])
            }
            let (x, y) = ((u(0, 1) - u(0, -1)) / 2, (u(1, 0) - u(-1, 0)) / 2)
            let (xx, yy) = (u(0, 1) + u(0, -1) - 2 * u(0, 0), u(1, 0) + u(-1, 0) - 2 * u(0, 0))
            let xy = (u(1, 1) - u(1, -1) - u(-1, 1) + u(-1, -1)) / 4
            let square = x * x + y * y
            let speed = square < 1e-9 ? 0 : (yy * x * x - 2 * x * y * xy + xx * y * y) / square
            return Float(u(0, 0) + step * speed)
        }
    }

    /// Pixels of every 8-connected component, by flooding.
    static func components(_ mask: Mask) -> [[Int]] {
        var left = Set(mask.values.indices.filter { mask.values[$0] == 1 })
        var components: [[Int]] = []
        while let seed = left.min() {
            left.remove(seed)
            var component = [seed]
            var next = 0
            while next < component.count {
                let (row, column) = component[next].quotientAndRemainder(dividingBy: mask.width)
                for down in -1...1 {
                    for right in -1...1 where (0..<mask.width).contains(column + right) {
                        let index = (row + down) * mask.width + column + right
                        if left.remove(index) != nil { component.append(index) }
                    }
                }
                next += 1
            }
            components.append(component)
        }
        return components
    }
}

/// Uniform values in a range, the same each time.
func randomValues(_ count: Int, seed: UInt64, in range: ClosedRange<Float> = 0...1) -> [Float] {
    var generator = SplitMix64(state: seed)
    return (0..<count).map { _ in
        range.lowerBound + generator.nextUniform() * (range.upperBound - range.lowerBound)
    }
}

/// The largest absolute difference.
func largestDifference(
    _ left: some Sequence<some BinaryFloatingPoint>,
    _ right: some Sequence<some BinaryFloatingPoint>
) -> Double {
    zip(left, right).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
}

/// Sizes that no vector length divides, down to a single pixel.
let oddSizes = [(1, 1), (1, 7), (3, 1), (2, 5), (5, 4), (7, 33), (37, 41)]
