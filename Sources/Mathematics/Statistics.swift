// For each type its own: sorting by a comparison of any type takes several times as long, and a frame has thousands of tiles.
extension [Double] {
    /// The middle value, or the mean of the two middle ones; of at least one value.
    package var median: Double { sorted().medianOfSorted }

    /// The values that these shares, 0 to 1, of all values lie below; of at least one value.
    ///
    /// Linear between the two nearest ranks (Hyndman and Fan 1996, definition 7).
    package func quantiles(_ shares: [Double]) -> [Double] { sorted().quantilesOfSorted(shares) }
}

extension [Float] {
    /// The middle value, or the mean of the two middle ones; of at least one value.
    package var median: Float { sorted().medianOfSorted }

    /// The values that these shares, 0 to 1, of all values lie below; of at least one value.
    ///
    /// Linear between the two nearest ranks (Hyndman and Fan 1996, definition 7).
    package func quantiles(_ shares: [Double]) -> [Float] { sorted().quantilesOfSorted(shares) }

    /// The middle value, the upper of two: always one of the values, as grey values of pixels should be.
    package var upperMedian: Float {
        precondition(!isEmpty, "no values have no median")
        return sorted()[count / 2]
    }
}

extension Array where Element: BinaryFloatingPoint {
    fileprivate var medianOfSorted: Element {
        precondition(!isEmpty, "no values have no median")
        return (self[(count - 1) / 2] + self[count / 2]) / 2
    }

    fileprivate func quantilesOfSorted(_ shares: [Double]) -> [Element] {
        precondition(!isEmpty, "no values have no quantiles")
        return shares.map { share in
            precondition((0...1).contains(share), "\(share) is no share of the values")
            let position = Element(share) * Element(count - 1)
            let index = Int(position)
            let next = Swift.min(index + 1, count - 1)
            return self[index] + (position - Element(index)) * (self[next] - self[index])
        }
    }
}

/// The inverse of the lower Cholesky factor of a covariance: it makes of a deviation independent ones of variance 1.
///
/// Matrices are of n x n values, row by row; of a symmetric one the lower triangle is read.
package enum Cholesky {
    /// Smallest pivot: it keeps a matrix that rounding made singular from giving no numbers.
    private static let smallestPivot = 1e-9

    /// The inverse factor of a positive definite matrix; its upper triangle is 0.
    package static func inverseFactor(of matrix: [Double], dimensions n: Int) -> [Double] {
        precondition(matrix.count == n * n, "\(matrix.count) values for \(n) x \(n)")
        let factor = factor(of: matrix, dimensions: n)
        var inverse = [Double](repeating: 0, count: n * n)
        for row in 0..<n {
            inverse[row * n + row] = 1 / factor[row * n + row]
            for column in 0..<row {
                var value = 0.0
                for inner in column..<row { value -= factor[row * n + inner] * inverse[inner * n + column] }
                inverse[row * n + column] = value / factor[row * n + row]
            }
        }
        return inverse
    }

    /// The squared Mahalanobis distance of a deviation from the mean, given the covariance's inverse factor.
    package static func squaredDistance(_ deviation: [Double], inverseFactor: [Double]) -> Double {
        let n = deviation.count
        return (0..<n).reduce(0) { sum, row in
            let solved = (0...row).reduce(0) { $0 + inverseFactor[row * n + $1] * deviation[$1] }
            return sum + solved * solved
        }
    }

    private static func factor(of matrix: [Double], dimensions n: Int) -> [Double] {
        var factor = [Double](repeating: 0, count: n * n)
        for row in 0..<n {
            for column in 0...row {
                var value = matrix[row * n + column]
                for inner in 0..<column { value -= factor[row * n + inner] * factor[column * n + inner] }
                factor[row * n + column] =
                    row == column
                    ? max(value, smallestPivot).squareRoot() : value / factor[column * n + column]
            }
        }
        return factor
    }
}
