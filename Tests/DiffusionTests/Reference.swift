import Foundation
import Plate

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
}
