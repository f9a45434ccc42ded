import Foundation
import Plate

/// Plain twins of the kernels, in Double and without any cleverness.
enum Reference {
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
