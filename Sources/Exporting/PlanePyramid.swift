import Plate

/// One plane at several sizes: each half as high and wide as the one before, until a side has at most 256 pixels.
enum PlanePyramid {
    /// What becomes of four pixels.
    enum Merging {
        /// Their mean, for grey values.
        case mean
        /// The largest, for labels: a region stays visible.
        case largest
    }

    private static let smallest = 256

    /// The sizes, the largest first.
    static func sizes(_ size: (height: Int, width: Int)) -> [(height: Int, width: Int)] {
        var sizes = [size]
        while let last = sizes.last, max(last.height, last.width) > smallest {
            sizes.append(((last.height + 1) / 2, (last.width + 1) / 2))
        }
        return sizes
    }

    /// The plane at each size.
    static func planes(_ frame: Frame, _ merging: Merging) -> [Frame] {
        sizes((frame.height, frame.width)).dropFirst().reduce(into: [frame]) { planes, size in
            guard let last = planes.last else { return }
            planes.append(halved(last, size, merging))
        }
    }

    /// The last row and column of an odd size stand for two.
    private static func halved(_ frame: Frame, _ size: (height: Int, width: Int), _ merging: Merging) -> Frame
    {
        let pixels = frame.pixels
        var result: [Float] = []
        result.reserveCapacity(size.height * size.width)
        for row in 0..<size.height {
            let upper = 2 * row * frame.width
            let lower = min(2 * row + 1, frame.height - 1) * frame.width
            for column in 0..<size.width {
                let (left, right) = (2 * column, min(2 * column + 1, frame.width - 1))
                let (a, b) = (pixels[upper + left], pixels[upper + right])
                let (c, d) = (pixels[lower + left], pixels[lower + right])
                result.append(merging == .mean ? (a + b + c + d) / 4 : max(max(a, b), max(c, d)))
            }
        }
        return Frame(height: size.height, width: size.width, pixels: result)
    }
}
