import Foundation
package import Plate

/// What a microscopist's software says of a frame's quality without having learnt anything.
///
/// The figures are those of CellProfiler's image quality module (Bray et al. 2012), with a gradient of
/// illumination.
package struct QualityMetrics: Sendable, Equatable, Codable {
    /// Slope of the log of the power spectrum over the log of frequency: steeper if out of focus.
    package let powerLogLogSlope: Double
    /// Variance of the Laplacian (four neighbours), in squared grey units: falls out of focus.
    package let laplacianVariance: Double
    /// Mean over tiles of 20 x 20 of variance over mean, in grey units.
    package let localFocusScore: Double
    /// Per cent of pixels that have the frame's largest value.
    package let percentMaximal: Double
    /// Per cent of pixels that have the frame's smallest value.
    package let percentMinimal: Double
    /// Mean grey value.
    package let intensityMean: Double
    /// Standard deviation of grey values.
    package let intensitySpread: Double
    /// Rise of the best plane through the grey values, from end to end of both sides, as a share of the mean.
    package let illuminationGradient: Double

    private static let tile = 20
    /// What keeps logarithms finite; far below what any real frame has.
    private static let floor = 1e-3

    /// Measures a frame of any size.
    package init(of frame: Frame) {
        let moments = Self.moments(frame.pixels)
        let count = Double(frame.pixels.count)
        let (lowest, highest) = frame.pixels.reduce((Float.infinity, -Float.infinity)) {
            (min($0.0, $1), max($0.1, $1))
        }
        powerLogLogSlope = RadialSpectrum(of: frame).slope
        laplacianVariance = Self.laplacianVariance(of: frame)
        localFocusScore = Self.localFocusScore(of: frame)
        percentMaximal = 100 * Double(frame.pixels.count { $0 == highest }) / count
        percentMinimal = 100 * Double(frame.pixels.count { $0 == lowest }) / count
        intensityMean = moments.mean
        intensitySpread = moments.variance.squareRoot()
        illuminationGradient = Self.planeRise(of: frame) / max(abs(moments.mean), Self.floor)
    }

    /// The metrics as a point; those that span decades by their logarithm.
    var features: [Double] {
        [
            powerLogLogSlope, log10(laplacianVariance + Self.floor), log10(localFocusScore + Self.floor),
            log10(percentMaximal + Self.floor), log10(percentMinimal + Self.floor), intensityMean,
            log10(intensitySpread + Self.floor), illuminationGradient,
        ]
    }

    private static func moments(_ values: some Collection<Float>) -> (mean: Double, variance: Double) {
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (mean, squares / Double(values.count))
    }

    private static func laplacianVariance(of frame: Frame) -> Double {
        guard frame.height > 2, frame.width > 2 else { return 0 }
        var values: [Float] = []
        values.reserveCapacity((frame.height - 2) * (frame.width - 2))
        for row in 1..<frame.height - 1 {
            for column in 1..<frame.width - 1 {
                let index = row * frame.width + column
                let around =
                    frame.pixels[index - 1] + frame.pixels[index + 1] + frame.pixels[index - frame.width]
                    + frame.pixels[index + frame.width]
                values.append(around - 4 * frame.pixels[index])
            }
        }
        return moments(values).variance
    }

    private static func localFocusScore(of frame: Frame) -> Double {
        var scores: [Double] = []
        for top in stride(from: 0, to: max(frame.height - tile, 0) + 1, by: tile) {
            for left in stride(from: 0, to: max(frame.width - tile, 0) + 1, by: tile) {
                var values: [Float] = []
                for row in top..<min(top + tile, frame.height) {
                    let start = row * frame.width
                    values += frame.pixels[start + left..<start + min(left + tile, frame.width)]
                }
                let (mean, variance) = moments(values)
                scores.append(variance / max(abs(mean), floor))
            }
        }
        return scores.reduce(0, +) / Double(scores.count)
    }

    /// The least-squares plane: on a full grid the two directions do not depend on each other.
    private static func planeRise(of frame: Frame) -> Double {
        let middle = (row: Double(frame.height - 1) / 2, column: Double(frame.width - 1) / 2)
        var products = (row: 0.0, column: 0.0)
        for row in 0..<frame.height {
            for column in 0..<frame.width {
                let value = Double(frame.pixels[row * frame.width + column])
                products.row += (Double(row) - middle.row) * value
                products.column += (Double(column) - middle.column) * value
            }
        }
        let rise = { (product: Double, length: Int, lines: Int) -> Double in
            let side = Double(length)
            let squares = side * (side * side - 1) / 12 * Double(lines)
            return squares > 0 ? product / squares * side : 0
        }
        let down = rise(products.row, frame.height, frame.width)
        let across = rise(products.column, frame.width, frame.height)
        return (down * down + across * across).squareRoot()
    }
}
