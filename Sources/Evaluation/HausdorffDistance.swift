package import Plate

/// How far apart two masks are at most, in pixels.
///
/// The larger of the two directed distances: from the pixel of one that lies farthest from the other (Huttenlocher et al.
/// 1993).
package enum HausdorffDistance {
    /// Which pixels of a mask count.
    package enum Part: Sendable {
        /// All of them: the published figure.
        case whole
        /// Those with a side neighbour outside the mask or the frame.
        case outline
    }

    /// The distance between centres of pixels; `nil` where one of the masks is empty and no distance is
    /// defined.
    ///
    /// Masks of different sizes are a programmer's mistake.
    package static func between(_ first: Mask, _ second: Mask, of part: Part) -> Double? {
        precondition(
            first.height == second.height && first.width == second.width,
            "masks of \(first.width) x \(first.height) and \(second.width) x \(second.height)"
        )
        let pixels = (self.pixels(of: first, part), self.pixels(of: second, part))
        guard !pixels.0.isEmpty, !pixels.1.isEmpty else { return nil }
        let toSecond = squaredDistances(to: pixels.1, height: first.height, width: first.width)
        let toFirst = squaredDistances(to: pixels.0, height: first.height, width: first.width)
        let farthest = max(
            pixels.0.reduce(0) { max($0, toSecond[$1]) },
            pixels.1.reduce(0) { max($0, toFirst[$1]) }
        )
        return Double(farthest).squareRoot()
    }

    private static func pixels(of mask: Mask, _ part: Part) -> [Int] {
        switch part {
        case .whole: mask.values.indices.filter { mask.values[$0] != 0 }
        case .outline: outline(of: mask)
        }
    }

    private static func outline(of mask: Mask) -> [Int] {
        let (height, width) = (mask.height, mask.width)
        return mask.values.indices.filter { index in
            guard mask.values[index] != 0 else { return false }
            let (row, column) = index.quotientAndRemainder(dividingBy: width)
            guard row > 0, row < height - 1, column > 0, column < width - 1 else { return true }
            return mask.values[index - width] == 0 || mask.values[index + width] == 0
                || mask.values[index - 1] == 0 || mask.values[index + 1] == 0
        }
    }

    /// The exact Euclidean distance transform (Felzenszwalb and Huttenlocher 2012), first down the columns,
    /// then along the rows; at least one pixel to measure to.
    private static func squaredDistances(to pixels: [Int], height: Int, width: Int) -> [Int] {
        let columns = columnDistances(to: pixels, height: height, width: width)
        var result = [Int](repeating: 0, count: height * width)
        var envelope = LowerEnvelope(capacity: width)
        for row in 0..<height {
            let start = row * width
            envelope.removeAll()
            for column in 0..<width {
                guard let distance = columns[start + column] else { continue }
                envelope.add(at: column, height: distance * distance)
            }
            envelope.write(to: &result, from: start, count: width)
        }
        return result
    }

    /// The distance of each pixel to the nearest one of its column, `nil` in columns without any.
    private static func columnDistances(to pixels: [Int], height: Int, width: Int) -> [Int?] {
        var distances = [Int?](repeating: nil, count: height * width)
        for pixel in pixels { distances[pixel] = 0 }
        for index in stride(from: width, to: height * width, by: 1) {
            guard let above = distances[index - width] else { continue }
            distances[index] = min(distances[index] ?? .max, above + 1)
        }
        for index in stride(from: height * width - width - 1, through: 0, by: -1) {
            guard let below = distances[index + width] else { continue }
            distances[index] = min(distances[index] ?? .max, below + 1)
        }
        return distances
    }
}

/// The lowest of many parabolas (x - centre)^2 + height at each whole x.
private struct LowerEnvelope {
    private var parabolas: [(centre: Int, height: Int)] = []
    /// Where each parabola becomes the lowest.
    private var starts: [Double] = []

    init(capacity: Int) {
        parabolas.reserveCapacity(capacity)
        starts.reserveCapacity(capacity)
    }

    mutating func removeAll() {
        parabolas.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
    }

    /// Adds a parabola to the right of all others.
    mutating func add(at centre: Int, height: Int) {
        var start = -Double.infinity
        while let last = parabolas.last {
            let difference = (height + centre * centre) - (last.height + last.centre * last.centre)
            start = Double(difference) / Double(2 * (centre - last.centre))
            guard start <= starts[starts.count - 1] else { break }
            parabolas.removeLast()
            starts.removeLast()
            start = -.infinity
        }
        parabolas.append((centre, height))
        starts.append(start)
    }

    func write(to values: inout [Int], from start: Int, count: Int) {
        var index = 0
        for x in 0..<count {
            while index + 1 < starts.count, starts[index + 1] < Double(x) { index += 1 }
            let distance = x - parabolas[index].centre
            values[start + x] = distance * distance + parabolas[index].height
        }
    }
}
