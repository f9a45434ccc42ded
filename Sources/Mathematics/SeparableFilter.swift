package import Plate

/// Weighted sums along the rows and along the columns of a frame, in a fixed order.
package enum SeparableFilter {
    /// What lies beyond a frame's border.
    package enum Border: Sendable {
        /// The last pixel again and again.
        case repeated
        /// The frame again, as in a mirror.
        case mirrored

        /// The index in `0..<count` that stands for one beyond it.
        func index(_ place: Int, _ count: Int) -> Int {
            guard self == .mirrored else { return min(max(place, 0), count - 1) }
            let rest = place % (2 * count)
            let inside = rest < 0 ? rest + 2 * count : rest
            return inside < count ? inside : 2 * count - 1 - inside
        }
    }

    /// Each pixel becomes the sum of its neighbours in the row; `kernel` has an odd number of weights.
    ///
    /// The taps are the outer loop: each pixel's sum still has them in order, and a whole row is added at once.
    package static func alongRows(_ frame: Frame, _ kernel: [Float], _ border: Border) -> Frame {
        let (width, radius) = (frame.width, kernel.count / 2)
        var result = frame
        var line = [Float](repeating: 0, count: width + 2 * radius)
        let sources = line.indices.map { border.index($0 - radius, width) }
        var sums = [Float](repeating: 0, count: width)
        for start in stride(from: 0, to: frame.pixels.count, by: width) {
            for index in line.indices { line[index] = frame.pixels[start + sources[index]] }
            for column in 0..<width { sums[column] = 0 }
            for tap in kernel.indices {
                let weight = kernel[tap]
                for column in 0..<width { sums[column] += weight * line[column + tap] }
            }
            for column in 0..<width { result.pixels[start + column] = sums[column] }
        }
        return result
    }

    /// The same along the columns.
    package static func alongColumns(_ frame: Frame, _ kernel: [Float], _ border: Border) -> Frame {
        let (width, radius) = (frame.width, kernel.count / 2)
        var result = frame
        var sums = [Float](repeating: 0, count: width)
        for row in 0..<frame.height {
            for column in 0..<width { sums[column] = 0 }
            for tap in kernel.indices {
                let weight = kernel[tap]
                let start = border.index(row + tap - radius, frame.height) * width
                for column in 0..<width { sums[column] += weight * frame.pixels[start + column] }
            }
            for column in 0..<width { result.pixels[row * width + column] = sums[column] }
        }
        return result
    }
}
