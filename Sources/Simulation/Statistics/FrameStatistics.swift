import Faults
import Mathematics
package import Plate

/// Figures of a frame, to compare simulated frames with real ones.
package struct FrameStatistics: Sendable, Equatable {
    /// Mean grey value.
    package let mean: Float
    /// Standard deviation of the grey values.
    package let deviation: Float
    /// Grey values that 1, 50 and 99 % of the pixels stay below.
    package let percentiles: (low: Float, median: Float, high: Float)
    /// Noise: standard deviation between neighbours in the median 16 x 16 block, in grey units.
    package let noise: Float
    /// Exponent of the radial power spectrum between periods of 33 and 3.3 pixels.
    package let spectrumSlope: Float
    /// Median diameter of the cells, in pixels, of a disc of the same area.
    package let cellDiameter: Float
    /// Median deviation of cells from the background around them, relative to it.
    package let cellContrast: Float
    /// Cells for each million of pixels.
    package let cellDensity: Float

    /// Measures one frame of at least 64 x 64.
    package init(_ frame: Frame) {
        precondition(min(frame.height, frame.width) >= 64, "\(frame.height) x \(frame.width) is too small")
        let count = Float(frame.pixels.count)
        mean = Float(frame.pixels.reduce(0) { $0 + Double($1) }) / count
        let mean = mean
        deviation = (Float(frame.pixels.reduce(0) { $0 + Double(($1 - mean) * ($1 - mean)) }) / count)
            .squareRoot()
        let ranks = frame.pixels.quantiles([0.01, 0.5, 0.99])
        percentiles = (ranks[0], ranks[1], ranks[2])
        noise = Self.noise(frame)
        spectrumSlope = Float(RadialSpectrum(of: frame).slope(periods: 3.3...33))
        let census = CellCensus(frame)
        cellDiameter = census.medianDiameter
        cellContrast = census.medianContrast
        cellDensity = Float(census.count) / count * 1e6
    }

    /// Compares all values.
    package static func == (left: FrameStatistics, right: FrameStatistics) -> Bool {
        left.columns == right.columns
    }

    /// All values, in the order of `names`.
    package var columns: [Float] {
        [
            mean, deviation, percentiles.low, percentiles.median, percentiles.high, noise, spectrumSlope,
            cellDiameter, cellContrast, cellDensity,
        ]
    }

    /// Names of the columns.
    package static let names = [
        "mean", "std", "1 %", "50 %", "99 %", "noise", "spectrum slope", "cell diameter (px)",
        "cell contrast",
        "cells per Mpx",
    ]

    /// Correlation of a frame with a later one, -1 to 1, without the background that both share.
    package static func correlation(_ first: Frame, _ second: Frame) -> Float {
        let deviations = [first, second].map { frame in
            let background = LocalBackground(frame)
            return frame.pixels.indices.map {
                frame.pixels[$0] - background.value(row: $0 / frame.width, column: $0 % frame.width)
            }
        }
        var (product, squares) = (0.0, (0.0, 0.0))
        for (a, b) in zip(deviations[0], deviations[1]) {
            product += Double(a * b)
            squares.0 += Double(a * a)
            squares.1 += Double(b * b)
        }
        return Float(product / max((squares.0 * squares.1).squareRoot(), 1e-9))
    }

    private static func noise(_ frame: Frame) -> Float {
        let side = 16
        var blocks: [Float] = []
        for top in stride(from: 0, through: frame.height - side, by: side) {
            for left in stride(from: 0, through: frame.width - side, by: side) {
                var sum: Float = 0
                for row in top..<top + side - 1 {
                    for column in left..<left + side - 1 {
                        let mixed =
                            frame[row, column] - frame[row, column + 1] - frame[row + 1, column]
                            + frame[row + 1, column + 1]
                        sum += mixed * mixed
                    }
                }
                // The second difference of independent noise has four times its variance.
                blocks.append((sum / Float((side - 1) * (side - 1)) / 4).squareRoot())
            }
        }
        return blocks.upperMedian
    }
}

/// A rough count of the bodies that stand out from the background, to compare frames.
struct CellCensus {
    /// Relative deviation from the background that belongs to a cell.
    private static let threshold: Float = 0.1
    /// Areas of single cells, in pixels.
    private static let areas = 60...900

    let count: Int
    /// Median diameter of a disc of the same area, in pixels; 0 without cells.
    let medianDiameter: Float
    /// Median of the mean deviation within a cell, relative to the background; 0 without cells.
    let medianContrast: Float

    init(_ frame: Frame) {
        let background = LocalBackground(frame)
        let deviations = frame.pixels.indices.map { index in
            let level = background.value(row: index / frame.width, column: index % frame.width)
            return abs(frame.pixels[index] / max(level, 1) - 1)
        }
        let mask = Mask(
            height: frame.height,
            width: frame.width,
            values: deviations.map { $0 > Self.threshold ? 1 : 0 }
        )
        let labels = PixelLabels(mask, connectivity: .four)
        var sums = [Float](repeating: 0, count: labels.sizes.count)
        for (label, deviation) in zip(labels.labels, deviations) where label >= 0 {
            sums[Int(label)] += deviation
        }
        let bodies = labels.sizes.indices.filter { Self.areas.contains(labels.sizes[$0]) }
        count = bodies.count
        guard count > 0 else {
            (medianDiameter, medianContrast) = (0, 0)
            return
        }
        let area = bodies.map { Float(labels.sizes[$0]) }.upperMedian
        medianDiameter = 2 * (area / Arithmetic.pi).squareRoot()
        medianContrast = bodies.map { sums[$0] / Float(labels.sizes[$0]) }.upperMedian
    }
}
