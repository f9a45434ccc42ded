import Foundation
import Plate

/// The power of a frame's detail by its fineness: the mean over tiles of the periodogram (Welch 1967), by
/// radius.
struct RadialSpectrum {
    /// Mean power by whole cycles a tile, from 1 on, in squared grey units.
    let power: [Double]
    private static let largestTile = 256
    private static let smallestTile = 8

    /// Takes the spectrum; a frame without room for a tile of 8 x 8 has none.
    init(of frame: Frame) {
        var side = Self.largestTile
        while side > min(frame.height, frame.width) { side /= 2 }
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
    var slope: Double {
        let floor = (power.max() ?? 0) * 1e-15
        guard floor > 0, power.count > 1 else { return 0 }
        let points = power.enumerated().map {
            (x: log10(Double($0.offset + 1)), y: log10($0.element + floor))
        }
        let count = Double(points.count)
        let mean = (
            x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count
        )
        let products = points.reduce(0) { $0 + ($1.x - mean.x) * ($1.y - mean.y) }
        return products / points.reduce(0) { $0 + ($1.x - mean.x) * ($1.x - mean.x) }
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
