import Mathematics
import Plate

/// Relative transmission of each pixel of a frame, 1 where nothing is, to put things into the light path.
struct Canvas: Sendable {
    let height: Int
    let width: Int
    /// Row-major, height x width.
    var values: [Float]
    /// 1 where something was put.
    var marks: [UInt8]

    init(height: Int, width: Int) {
        (self.height, self.width) = (height, width)
        values = [Float](repeating: 1, count: height * width)
        marks = [UInt8](repeating: 0, count: height * width)
    }

    /// Puts what was drawn into the light path of a frame of the same size.
    func multiply(_ frame: inout Frame) {
        precondition(frame.pixels.count == values.count, "a canvas of \(height) x \(width) on another frame")
        unsafe frame.pixels.withUnsafeMutableBufferPointer { pixels in
            unsafe values.withUnsafeBufferPointer { values in
                for index in 0..<pixels.count { unsafe pixels[index] *= values[index] }
            }
        }
    }

    /// Marks what was drawn in a mask of the same size.
    func mark(_ mask: inout Mask) {
        precondition(mask.values.count == marks.count, "a canvas of \(height) x \(width) on another mask")
        unsafe mask.values.withUnsafeMutableBufferPointer { pixels in
            unsafe marks.withUnsafeBufferPointer { marks in
                for index in 0..<pixels.count { unsafe pixels[index] |= marks[index] }
            }
        }
    }

    /// Multiplies each pixel around a place by a profile of its distance, and marks it where the profile reaches.
    ///
    /// `distance` is given the way down and to the right; only rows and columns within `reach` are visited.
    mutating func multiply(
        row: Float,
        column: Float,
        reach: Float,
        by profile: Profile,
        _ distance: (_ down: Float, _ right: Float) -> Float = { ($0 * $0 + $1 * $1).squareRoot() }
    ) {
        let rows = Self.range(row, reach, height)
        let columns = Self.range(column, reach, width)
        for y in rows {
            for x in columns {
                let distance = distance(Float(y) - row, Float(x) - column)
                if distance < profile.reach { multiply(y * width + x, by: profile[distance]) }
            }
        }
    }

    /// Multiplies one pixel and marks it.
    mutating func multiply(_ index: Int, by factor: Float) {
        values[index] *= factor
        marks[index] = 1
    }

    private static func range(_ centre: Float, _ reach: Float, _ limit: Int) -> Range<Int> {
        let lower = min(max(Int((centre - reach).rounded(.down)), 0), limit)
        return lower..<max(min(Int((centre + reach).rounded(.up)) + 1, limit), lower)
    }

    /// A Gaussian spot; `height` below 0 is dark.
    mutating func spot(row: Float, column: Float, sigma: Float, height: Float, visible: Float = 0) {
        let profile = Profile(reach: 3.5 * sigma, visible: visible) { distance in
            1 + height * Arithmetic.exponential(-distance * distance / (2 * sigma * sigma))
        }
        multiply(row: row, column: column, reach: profile.reach, by: profile)
    }

    /// A line of a Gaussian cross-section along points of (row, column).
    mutating func stroke(_ points: [(Float, Float)], sigma: Float, height: Float, visible: Float = 0) {
        let profile = Profile(reach: 3.5 * sigma, visible: visible) { distance in
            1 + height * Arithmetic.exponential(-distance * distance / (2 * sigma * sigma))
        }
        stroke(points, profile: profile)
    }

    /// A line along points of (row, column) with any cross-section.
    mutating func stroke(_ points: [(Float, Float)], profile: Profile) {
        var distances: [Int: Float] = [:]
        for (start, end) in zip(points, points.dropFirst()) {
            let (down, right) = (end.0 - start.0, end.1 - start.1)
            let square = max(down * down + right * right, 1e-6)
            let rows = Self.range((start.0 + end.0) / 2, abs(down) / 2 + profile.reach, height)
            for y in rows {
                // Of a long line only the part near this row.
                let (lower, upper) = Self.columns(of: (start, end), row: Float(y), reach: profile.reach)
                for x in Self.range((lower + upper) / 2, (upper - lower) / 2, width) {
                    let (toRow, toColumn) = (Float(y) - start.0, Float(x) - start.1)
                    let share = min(max((toRow * down + toColumn * right) / square, 0), 1)
                    let (offRow, offColumn) = (toRow - share * down, toColumn - share * right)
                    let distance = (offRow * offRow + offColumn * offColumn).squareRoot()
                    guard distance < profile.reach else { continue }
                    let index = y * width + x
                    distances[index] = min(distances[index] ?? distance, distance)
                }
            }
        }
        // Each pixel once, so that the order does not matter.
        for (index, distance) in distances { multiply(index, by: profile[distance]) }
    }

    private static func columns(
        of segment: (start: (Float, Float), end: (Float, Float)),
        row: Float,
        reach: Float
    ) -> (Float, Float) {
        let (start, end) = segment
        let whole = (min(start.1, end.1) - reach, max(start.1, end.1) + reach)
        let down = end.0 - start.0
        guard abs(down) > 1 else { return whole }
        let slope = (end.1 - start.1) / down
        let middle = start.1 + (row - start.0) * slope
        let spread = reach * (1 + slope * slope).squareRoot()
        return (
            max(middle - spread, whole.0), max(min(middle + spread, whole.1), max(middle - spread, whole.0))
        )
    }
}
