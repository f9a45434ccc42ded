import CKernels
import Mathematics
package import Plate
import Randomness

/// Relative transmission of each pixel of a frame, 1 where nothing lies in the light path, to draw bodies on.
package struct Canvas: Sendable {
    /// Rows of the frame.
    package let height: Int
    /// Columns of the frame.
    package let width: Int
    /// Factors of the light, row-major, height x width.
    package internal(set) var values: [Float]
    /// 1 where a body was drawn, else 0.
    package internal(set) var marks: [UInt8]

    /// An empty light path.
    package init(height: Int, width: Int) {
        (self.height, self.width) = (height, width)
        values = [Float](repeating: 1, count: height * width)
        marks = [UInt8](repeating: 0, count: height * width)
    }

    /// Multiplies a frame of the same size by the transmission.
    package func multiply(_ frame: inout Frame) {
        precondition(frame.pixels.count == values.count, "a canvas of \(height) x \(width) on another frame")
        unsafe frame.pixels.withUnsafeMutableBufferPointer { pixels in
            unsafe values.withUnsafeBufferPointer { values in
                for index in 0..<pixels.count { unsafe pixels[index] *= values[index] }
            }
        }
    }

    /// Adds the marks to a mask of the same size.
    package func mark(_ mask: inout Mask) {
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
        by profile: RadialProfile,
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

    mutating func multiply(_ index: Int, by factor: Float) {
        values[index] *= factor
        marks[index] = 1
    }

    private static func range(_ centre: Float, _ reach: Float, _ limit: Int) -> Range<Int> {
        let lower = min(max(Int((centre - reach).rounded(.down)), 0), limit)
        return lower..<max(min(Int((centre + reach).rounded(.up)) + 1, limit), lower)
    }

    /// A Gaussian spot; `height` below 0 is dark.
    package mutating func spot(row: Float, column: Float, sigma: Float, height: Float, visible: Float = 0) {
        let profile = RadialProfile(reach: 3.5 * sigma, visible: visible) { distance in
            1 + height * Arithmetic.exponential(-distance * distance / (2 * sigma * sigma))
        }
        multiply(row: row, column: column, reach: profile.reach, by: profile)
    }

    /// A line of a Gaussian cross-section along points of (row, column).
    package mutating func stroke(_ points: [(Float, Float)], sigma: Float, height: Float, visible: Float = 0)
    {
        let profile = RadialProfile(reach: 3.5 * sigma, visible: visible) { distance in
            1 + height * Arithmetic.exponential(-distance * distance / (2 * sigma * sigma))
        }
        stroke(points, profile: profile)
    }

    /// A line along points of (row, column) with any cross-section.
    mutating func stroke(_ points: [(Float, Float)], profile: RadialProfile) {
        var distances: [Int: Float] = [:]
        for (start, end) in zip(points, points.dropFirst()) {
            let (down, right) = (end.0 - start.0, end.1 - start.1)
            let square = max(down * down + right * right, 1e-6)
            let rows = Self.range((start.0 + end.0) / 2, abs(down) / 2 + profile.reach, height)
            for y in rows {
                // Only the part of a long line near this row.
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
        // Each pixel is multiplied once, so that the order does not matter.
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

extension Canvas {
    /// Multiplies by a function of the distance relative to a disc's edge; the edge deviates from a circle by
    /// `unevenness` at most.
    mutating func disc(
        row: Float,
        column: Float,
        radius: Float,
        unevenness: Float,
        using random: inout SplitMix64,
        visible: Float,
        _ factor: (Float) -> Float
    ) {
        let waves = (0..<3).map { _ in
            (shift: random.drawDirection(), size: unevenness / 3 * random.draw(0.5...1))
        }
        let profile = RadialProfile(reach: 1.8, visible: visible, factor)
        multiply(row: row, column: column, reach: 1.8 * radius * (1 + unevenness), by: profile) {
            down,
            right in
            let distance = (down * down + right * right).squareRoot()
            guard distance > 0.001 else { return 0 }
            var (cosine, sine) = (right / distance, down / distance)
            let (first, second) = (cosine, sine)
            var edge = radius
            for wave in waves {
                edge += radius * wave.size * (cosine * wave.shift.cosine - sine * wave.shift.sine)
                (cosine, sine) = (cosine * first - sine * second, sine * first + cosine * second)
            }
            return distance / edge
        }
    }
}

/// A factor of the light as a function of distance, in a table; exactly 1 from its reach on.
struct RadialProfile: Sendable {
    /// Distance from which on it is 1.
    let reach: Float
    private let values: [Float]
    private let scale: Float
    private static let count = 512

    /// Tabulates a function of the distance up to `reach`.
    ///
    /// Changes are smaller by `visible`, so that a soft edge ends.
    init(reach: Float, visible: Float = 0, _ factor: (Float) -> Float) {
        let step = reach / Float(Self.count)
        var values = (0...Self.count).map { index in
            let change = factor(Float(index) * step) - 1
            let kept = max(abs(change) - visible, 0)
            return change < 0 ? 1 - kept : 1 + kept
        }
        values[Self.count] = 1
        let last = values.lastIndex { $0 != 1 } ?? 0
        self.reach = Float(last + 1) * step
        self.values = values
        scale = 1 / step
    }

    subscript(distance: Float) -> Float {
        guard distance < reach else { return 1 }
        let place = distance * scale
        let index = min(Int(place), Self.count - 1)
        let share = place - Float(index)
        return values[index] * (1 - share) + values[index + 1] * share
    }
}

/// A smooth quantity over the frame, kept on a coarse grid and read between its points linearly.
package struct Field: Sendable {
    /// Pixels from one point of the grid to the next, as `aqc_light_field` has it.
    private static let pitch = Int(aqc_light_pitch)

    private let height: Int
    private let width: Int
    private let values: [Float]

    /// Evaluates a function of row and column, in pixels, on the grid.
    package init(height: Int, width: Int, _ value: (_ row: Float, _ column: Float) -> Float) {
        (self.height, self.width) = (height, width)
        let rows = height / Self.pitch + 2
        let columns = width / Self.pitch + 2
        values = (0..<rows * columns).map { index in
            value(Float(index / columns * Self.pitch), Float(index % columns * Self.pitch))
        }
    }

    /// An image times a level and the field.
    package func times(_ image: [Float], level: Float) -> [Float] {
        precondition(image.count == height * width, "\(image.count) pixels are not \(height) x \(width)")
        return unsafe [Float](unsafeUninitializedCapacity: image.count) { pixels, count in
            unsafe aqc_light_field(image, pixels.baseAddress, height, width, values, level)
            count = image.count
        }
    }

    /// Multiplies an image by the field where it lies.
    package func multiply(_ image: inout [Float]) {
        precondition(image.count == height * width, "\(image.count) pixels are not \(height) x \(width)")
        unsafe image.withUnsafeMutableBufferPointer { pixels in
            unsafe aqc_light_field(pixels.baseAddress, pixels.baseAddress, height, width, values, 1)
        }
    }
}
