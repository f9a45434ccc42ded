import Foundation
package import Plate

/// The power of a frame's detail by its spatial frequency, whatever the direction: the mean over tiles of the periodogram
/// (Welch 1967), by radius.
package struct RadialSpectrum: Sendable {
    /// Mean power by whole cycles a tile, from 1 on, in squared grey units.
    package let power: [Double]
    /// Pixels a side of a tile.
    private let tile: Int
    private static let largestTile = 256
    private static let smallestTile = 8

    /// Takes the spectrum; a frame without room for a tile of 8 x 8 has none.
    package init(of frame: Frame) {
        var side = Self.largestTile
        while side > min(frame.height, frame.width) { side /= 2 }
        tile = side
        guard side >= Self.smallestTile else {
            power = []
            return
        }
        let transform = FourierTransform(length: side)
        // Without the window the frame's borders, which do not match each other, would be detail.
        let window = (0..<side).map { 0.5 - 0.5 * cos(2 * Double.pi * (Double($0) + 0.5) / Double(side)) }
        var sums = [Double](repeating: 0, count: side / 2 + 1)
        for row in Self.starts(length: frame.height, tile: side) {
            for column in Self.starts(length: frame.width, tile: side) {
                Self.add(frame, row: row, column: column, window: window, transform, to: &sums)
            }
        }
        power = Array(Self.means(sums, side: side).dropFirst())
    }

    /// Slope of log power over log frequency: steep where fine detail is missing; 0 for a frame without any.
    package var slope: Double {
        let floor = (power.max() ?? 0) * 1e-15
        guard floor > 0 else { return 0 }
        return Self.slope(
            of: power.enumerated().map { (log10(Double($0.offset + 1)), log10($0.element + floor), 1) }
        )
    }

    /// The same between two periods in pixels, in which every octave counts as much as the next; 0 without power there.
    package func slope(periods: ClosedRange<Double>) -> Double {
        var points: [(x: Double, y: Double, weight: Double)] = []
        for (index, power) in power.enumerated() where power > 0 {
            let cycles = Double(index + 1)
            if periods.contains(Double(tile) / cycles) {
                points.append((log10(cycles), log10(power), 1 / cycles))
            }
        }
        return Self.slope(of: points)
    }

    /// The weighted straight line through points; 0 for fewer than two.
    private static func slope(of points: [(x: Double, y: Double, weight: Double)]) -> Double {
        guard points.count > 1 else { return 0 }
        let weight = points.reduce(0) { $0 + $1.weight }
        let mean = (
            x: points.reduce(0) { $0 + $1.weight * $1.x } / weight,
            y: points.reduce(0) { $0 + $1.weight * $1.y } / weight
        )
        let products = points.reduce(0) { $0 + $1.weight * ($1.x - mean.x) * ($1.y - mean.y) }
        return products / points.reduce(0) { $0 + $1.weight * ($1.x - mean.x) * ($1.x - mean.x) }
    }

    /// As few tiles as cover a side, evenly spread.
    private static func starts(length: Int, tile: Int) -> [Int] {
        let count = (length + tile - 1) / tile
        return count == 1 ? [0] : (0..<count).map { $0 * (length - tile) / (count - 1) }
    }

    private static func add(
        _ frame: Frame,
        row: Int,
        column: Int,
        window: [Double],
        _ transform: FourierTransform,
        to sums: inout [Double]
    ) {
        let side = window.count
        var real = [Double](repeating: 0, count: side * side)
        var total = 0.0
        for y in 0..<side {
            for x in 0..<side {
                real[y * side + x] = Double(frame.pixels[(row + y) * frame.width + column + x])
                total += real[y * side + x]
            }
        }
        let mean = total / Double(side * side)
        for y in 0..<side {
            for x in 0..<side {
                real[y * side + x] = (real[y * side + x] - mean) * window[y] * window[x]
            }
        }
        var imaginary = [Double](repeating: 0, count: side * side)
        for line in 0..<side { transform.transform(real: &real, imaginary: &imaginary, from: line * side) }
        transpose(&real, side: side)
        transpose(&imaginary, side: side)
        for line in 0..<side { transform.transform(real: &real, imaginary: &imaginary, from: line * side) }
        for index in real.indices {
            let radius = Self.radius(index, side: side)
            guard radius < sums.count else { continue }
            sums[radius] += real[index] * real[index] + imaginary[index] * imaginary[index]
        }
    }

    private static func transpose(_ values: inout [Double], side: Int) {
        for row in 0..<side {
            for column in row + 1..<max(side, row + 1) {
                values.swapAt(row * side + column, column * side + row)
            }
        }
    }

    private static func radius(_ index: Int, side: Int) -> Int {
        let (row, column) = index.quotientAndRemainder(dividingBy: side)
        let (y, x) = (min(row, side - row), min(column, side - column))
        return Int(Double(y * y + x * x).squareRoot().rounded())
    }

    private static func means(_ sums: [Double], side: Int) -> [Double] {
        var counts = [Double](repeating: 0, count: sums.count)
        for index in 0..<side * side {
            let radius = radius(index, side: side)
            if radius < counts.count { counts[radius] += 1 }
        }
        return zip(sums, counts).map { $0 / $1 }
    }
}

/// The discrete Fourier transform of lines whose length is a power of two (Cooley and Tukey 1965, radix 2).
struct FourierTransform {
    let length: Int
    private let cosines: [Double]
    private let sines: [Double]
    private let reversed: [Int]

    /// Makes the tables; another length than a power of two is a programmer's mistake.
    init(length: Int) {
        precondition(length > 0 && length.nonzeroBitCount == 1, "\(length) is not a power of two")
        self.length = length
        let angles = (0..<max(length / 2, 1)).map { -2 * Double.pi * Double($0) / Double(length) }
        cosines = angles.map { cos($0) }
        sines = angles.map { sin($0) }
        var reversed = [0]
        while reversed.count < length { reversed = reversed.map { 2 * $0 } + reversed.map { 2 * $0 + 1 } }
        self.reversed = reversed
    }

    /// Transforms the line that starts at an index, in place.
    func transform(real: inout [Double], imaginary: inout [Double], from start: Int) {
        for index in 0..<length where index < reversed[index] {
            real.swapAt(start + index, start + reversed[index])
            imaginary.swapAt(start + index, start + reversed[index])
        }
        var half = 1
        while half < length {
            let step = length / (2 * half)
            for block in stride(from: start, to: start + length, by: 2 * half) {
                for offset in 0..<half {
                    let (upper, lower) = (block + offset, block + offset + half)
                    let (cosine, sine) = (cosines[offset * step], sines[offset * step])
                    let turnedReal = real[lower] * cosine - imaginary[lower] * sine
                    let turnedImaginary = real[lower] * sine + imaginary[lower] * cosine
                    (real[lower], imaginary[lower]) =
                        (real[upper] - turnedReal, imaginary[upper] - turnedImaginary)
                    real[upper] += turnedReal
                    imaginary[upper] += turnedImaginary
                }
            }
            half *= 2
        }
    }
}
