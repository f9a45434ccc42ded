import Foundation

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
        let centre = columns.map { Self.median($0) }
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
        let factor = median(distances) / quantile(0, dimensions: dimensions)
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

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// The median absolute deviation as a standard deviation; where most points agree, the standard
    /// deviation, and never less than a thousandth of the centre's size, so that points that are all alike do
    /// not make any other far.
    private static func spread(_ values: [Double], around centre: Double) -> Double {
        let deviation = 1.4826 * median(values.map { abs($0 - centre) })
        let squares = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
        let standard = (squares / Double(values.count)).squareRoot()
        return max(deviation > 0 ? deviation : standard, 1e-3 * abs(centre), 1e-6)
    }
}

/// A location and a scatter matrix as its Cholesky factor.
private struct Ellipsoid {
    private let centre: [Double]
    /// Lower triangle, row by row.
    private let factor: [[Double]]

    /// The unit sphere.
    init(dimensions: Int) {
        centre = [Double](repeating: 0, count: dimensions)
        factor = (0..<dimensions).map { row in (0...row).map { $0 == row ? 1 : 0 } }
    }

    /// Mean and shrunk covariance of points.
    init(of points: [[Double]], shrinkage: Double) {
        let dimensions = points[0].count
        let count = Double(points.count)
        let centre = (0..<dimensions).map { column in points.reduce(0) { $0 + $1[column] } / count }
        let scatter = (0..<dimensions).map { row in
            (0...row).map { column -> Double in
                let sum = points.reduce(0) {
                    $0 + ($1[row] - centre[row]) * ($1[column] - centre[column])
                }
                return (1 - shrinkage) * sum / count + (row == column ? shrinkage : 0)
            }
        }
        self.centre = centre
        factor = Self.cholesky(scatter)
    }

    /// Forward substitution gives the point in units of the ellipsoid.
    func squaredDistance(of point: [Double]) -> Double {
        var solved: [Double] = []
        for row in point.indices {
            var value = point[row] - centre[row]
            for column in 0..<row { value -= factor[row][column] * solved[column] }
            solved.append(value / factor[row][row])
        }
        return solved.reduce(0) { $0 + $1 * $1 }
    }

    /// The matrix is positive definite: a covariance and a share of the identity.
    private static func cholesky(_ matrix: [[Double]]) -> [[Double]] {
        var factor = matrix
        for row in matrix.indices {
            for column in 0...row {
                var value = matrix[row][column]
                for inner in 0..<column { value -= factor[row][inner] * factor[column][inner] }
                factor[row][column] =
                    row == column ? max(value, 1e-12).squareRoot() : value / factor[column][column]
            }
        }
        return factor
    }
}
