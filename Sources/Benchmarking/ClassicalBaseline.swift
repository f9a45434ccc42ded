import Detection
import Digests
import Files
import Foundation
import Mathematics
package import Plate
import Training

/// The baseline: classical quality metrics and their robust distance from the normal frames.
///
/// It needs no training and judges whole frames: it has one score, which stands for all three image scores,
/// and no map.
package final class ClassicalBaseline: BenchmarkMethod {
    /// `classical`.
    package let name = "classical"
    /// The method and the number of frames that it was fitted to.
    package private(set) var summary = "quality metrics, robust Mahalanobis distance, no training"
    private var distance: RobustDistance?
    /// More normal frames than these do not move the median of eight numbers.
    private static let mostFrames = 1000
    /// Changes when the metrics or the distance do.
    private static let version = "1"

    /// Nothing is known yet.
    package init() {}

    /// The normal frames that it measures, by path, size and time of change.
    package func fingerprint(_ context: MethodContext) -> String {
        let chosen = Self.chosen(context.normal)
        summary =
            "8 quality metrics, robust Mahalanobis distance from \(chosen.count) normal frames, no training"
        let lines = chosen.map { Self.identity($0.image) }
        return Digest.sha256(Data((["classical", Self.version] + lines).joined(separator: "\n").utf8))
    }

    /// Measures the normal frames; the measurements are kept, so that a second run goes on.
    package func prepare(_ context: MethodContext) throws {
        let path = context.folder.appending(path: "metrics-\(Self.version).json")
        let kept = (try? Data(contentsOf: path)).flatMap {
            try? JSONDecoder().decode([String: QualityMetrics].self, from: $0)
        }
        var known = kept ?? [:]
        let chosen = Self.chosen(context.normal)
        defer { try? OutputFile.write(JSONEncoder().encode(known), to: path.path) }
        var points: [[Double]] = []
        var unreadable: [String] = []
        for (index, row) in chosen.enumerated() {
            try context.report(index, chosen.count)
            let identity = Self.identity(row.image)
            do {
                let metrics = try known[identity] ?? QualityMetrics(of: try row.readFrame())
                known[identity] = metrics
                points.append(metrics.features)
            } catch { unreadable.append("\(row.place): \(error)") }
        }
        try context.report(chosen.count, chosen.count)
        guard !points.isEmpty else {
            throw BenchmarkError(
                unreadable.first ?? "needs normal frames: list them in normal_train.csv with label 0"
            )
        }
        if let first = unreadable.first {
            try context.note("\(unreadable.count) normal frames are left out, the first: \(first)")
        }
        distance = RobustDistance(points: points)
    }

    /// Measures the frame.
    package func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) throws -> Assessment {
        guard let distance else { preconditionFailure("classical: assessed before it was prepared") }
        return Assessment(score: distance.distance(of: QualityMetrics(of: frame).features))
    }

    /// No network, no passes.
    package func passesPerFrame(height: Int, width: Int) -> Int { 0 }

    /// Evenly spread over the list.
    private static func chosen(_ rows: [FramePaths.Labelled]) -> [FramePaths.Labelled] {
        guard rows.count > mostFrames else { return rows }
        return (0..<mostFrames).map { rows[$0 * rows.count / mostFrames] }
    }

    private static func identity(_ path: String) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
        let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(path) \(size) \(changed)"
    }
}

/// Classical figures of image quality, which need no training.
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

/// The Mahalanobis distance from a set of points of which a minority may be anything.
///
/// Coordinates are centred on their median and scaled by their median absolute deviation; then location and
/// scatter are those of the half of the points that is closest together, found by concentration steps
/// (minimum covariance determinant, Rousseeuw and Van Driessen 1999), and refined once with all points within
/// the 97.5 % ellipsoid. The scatter is shrunk towards the identity (Boudt et al. 2020), so that few points,
/// or coordinates that say the same, do no harm.
package struct RobustDistance: Sendable {
    private let centre: [Double]
    private let scale: [Double]
    private let ellipsoid: Ellipsoid
    private static let concentrationSteps = 50
    /// Share of the identity in the scatter: its condition stays below some 10 per dimension.
    private static let shrinkage = 0.1

    /// Fits the distance to points of one length, at least one.
    package init(points: [[Double]]) {
        precondition(!points.isEmpty, "a distance needs points to be measured from")
        let dimensions = points[0].count
        let columns = (0..<dimensions).map { column in points.map { $0[column] } }
        let centre = columns.map(\.median)
        let scale = zip(columns, centre).map { Self.spread($0, around: $1) }
        let scaled = points.map { Self.scaled($0, centre: centre, scale: scale) }
        (self.centre, self.scale) = (centre, scale)
        ellipsoid = Self.fit(scaled)
    }

    /// The distance of a point, in standard deviations; finite for a finite point.
    package func distance(of point: [Double]) -> Double {
        ellipsoid.squaredDistance(of: Self.scaled(point, centre: centre, scale: scale)).squareRoot()
    }

    private static func fit(_ points: [[Double]]) -> Ellipsoid {
        let dimensions = points[0].count
        let half = min(points.count, (points.count + dimensions + 1) / 2)
        var ellipsoid = Ellipsoid(dimensions: dimensions)
        var chosen: [Int] = []
        for _ in 0..<concentrationSteps {
            let distances = points.map { ellipsoid.squaredDistance(of: $0) }
            let nearest = points.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }.prefix(half)
                .sorted()
            guard nearest != chosen else { break }
            chosen = nearest
            ellipsoid = Ellipsoid(of: chosen.map { points[$0] }, shrinkage: shrinkage)
        }
        // The closest half is too close together: the median distance from it is brought to that of
        // Gaussian points.
        let distances = points.map { ellipsoid.squaredDistance(of: $0) }
        let factor = distances.median / quantile(0, dimensions: dimensions)
        let limit = quantile(1.96, dimensions: dimensions) * max(factor, 1e-9)
        let inside = points.indices.filter { distances[$0] <= limit }
        guard inside.count >= half else { return ellipsoid }
        return Ellipsoid(of: inside.map { points[$0] }, shrinkage: shrinkage)
    }

    /// Quantile of the chi-squared distribution at a standard normal deviate (Wilson and Hilferty 1931).
    private static func quantile(_ deviate: Double, dimensions: Int) -> Double {
        let part = 2 / (9 * Double(dimensions))
        return Double(dimensions) * pow(1 - part + deviate * part.squareRoot(), 3)
    }

    private static func scaled(_ point: [Double], centre: [Double], scale: [Double]) -> [Double] {
        precondition(point.count == centre.count, "\(point.count) coordinates, not \(centre.count)")
        return point.indices.map { (point[$0] - centre[$0]) / scale[$0] }
    }

    /// The median absolute deviation as a standard deviation; where most points agree, the standard
    /// deviation, and never less than a thousandth of the centre's size, so that points that are all alike do
    /// not make any other far.
    private static func spread(_ values: [Double], around centre: Double) -> Double {
        let deviation = 1.4826 * values.map { abs($0 - centre) }.median
        let squares = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
        let standard = (squares / Double(values.count)).squareRoot()
        return max(deviation > 0 ? deviation : standard, 1e-3 * abs(centre), 1e-6)
    }
}

/// A location and a scatter matrix as its inverse Cholesky factor.
private struct Ellipsoid {
    private let centre: [Double]
    private let factor: [Double]

    /// The unit sphere.
    init(dimensions: Int) {
        centre = [Double](repeating: 0, count: dimensions)
        factor = (0..<dimensions * dimensions).map { $0 % (dimensions + 1) == 0 ? 1 : 0 }
    }

    /// Mean and shrunk covariance of points.
    init(of points: [[Double]], shrinkage: Double) {
        let dimensions = points[0].count
        let count = Double(points.count)
        let centre = (0..<dimensions).map { column in points.reduce(0) { $0 + $1[column] } / count }
        var scatter = [Double](repeating: 0, count: dimensions * dimensions)
        for row in 0..<dimensions {
            for column in 0...row {
                let sum = points.reduce(0) {
                    $0 + ($1[row] - centre[row]) * ($1[column] - centre[column])
                }
                scatter[row * dimensions + column] =
                    (1 - shrinkage) * sum / count + (row == column ? shrinkage : 0)
            }
        }
        self.centre = centre
        factor = Cholesky.inverseFactor(of: scatter, dimensions: dimensions)
    }

    func squaredDistance(of point: [Double]) -> Double {
        Cholesky.squaredDistance(zip(point, centre).map { $0 - $1 }, inverseFactor: factor)
    }
}
