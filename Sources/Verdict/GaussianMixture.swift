import CKernels
import Foundation
import Mathematics
import Randomness

/// A mixture of Gaussians with full covariances, fitted by expectation maximisation (Dempster, Laird and Rubin 1977).
///
/// Points lie channel by channel: all first coordinates, then all second ones.
struct GaussianMixture: Sendable, Equatable {
    /// Coordinates of a point.
    let dimensions: Int
    /// Number of Gaussians.
    let components: Int
    /// Components x dimensions.
    private(set) var means: [Float]
    /// Components x dimensions x dimensions: the inverse Cholesky factors of the covariances, lower triangles.
    private(set) var factors: [Float]
    /// Logarithm of each component's weight and of its density's constant.
    private(set) var logs: [Float]

    /// Steps of the fit; it converges much earlier for points of tiles.
    private static let steps = 40
    /// Beginnings that are tried for some steps; the likeliest goes on (Biernacki, Celeux and Govaert 2003).
    private static let (beginnings, triedSteps) = (5, 5)
    /// Added to the variances, so that coordinates that depend on each other do no harm.
    private static let regularisation = 1e-2
    /// More components or coordinates than any file has.
    private static let most = 10_000
    /// A component that loses its points keeps this share of the weight.
    private static let smallestWeight = 1e-4

    /// Wraps what was stored; `nil` if counts do not fit or values are no numbers.
    init?(dimensions: Int, components: Int, means: [Float], factors: [Float], logs: [Float]) {
        guard (1...Self.most).contains(components), (1...Self.most).contains(dimensions),
            means.count == components * dimensions, factors.count == means.count * dimensions,
            logs.count == components,
            (means + factors + logs).allSatisfy(\.isFinite)
        else { return nil }
        (self.dimensions, self.components) = (dimensions, components)
        (self.means, self.factors, self.logs) = (means, factors, logs)
    }

    /// Fits the mixture to points of some scale near 1; the same points and seed give the same mixture.
    init(points: [Float], dimensions: Int, components: Int, seed: UInt64) {
        let count = points.count / dimensions
        precondition(
            count > 0 && points.count == count * dimensions,
            "\(points.count) values of \(dimensions)"
        )
        var random = SplitMix64(state: seed)
        let tried = (0..<Self.beginnings).map { _ in
            var mixture = GaussianMixture(points, dimensions, components, using: &random)
            for _ in 0..<Self.triedSteps { mixture.improve(points, count: count) }
            let sum = mixture.negativeLogLikelihoods(of: points).reduce(0) { $0 + Double($1) }
            return (mixture: mixture, negativeLogLikelihood: sum)
        }
        self = tried.min { $0.negativeLogLikelihood < $1.negativeLogLikelihood }?.mixture ?? tried[0].mixture
        for _ in Self.triedSteps..<Self.steps { improve(points, count: count) }
    }

    /// Unit spheres around drawn points.
    private init(_ points: [Float], _ dimensions: Int, _ components: Int, using random: inout SplitMix64) {
        (self.dimensions, self.components) = (dimensions, components)
        means = Self.seeds(points, dimensions: dimensions, components: components, using: &random)
        logs = [Float](repeating: 0, count: components)
        factors = (0..<components).flatMap { _ in
            (0..<dimensions * dimensions).map { $0 % (dimensions + 1) == 0 ? 1 : 0 }
        }
    }

    /// The negative logarithm of each point's density.
    func negativeLogLikelihoods(of points: [Float]) -> [Float] {
        let count = points.count / dimensions
        let densities = logDensities(of: points, count: count)
        return (0..<count).map { -Self.logOfSum(densities, point: $0, count: count, components: components) }
    }

    private func logDensities(of points: [Float], count: Int) -> [Float] {
        precondition(points.count == count * dimensions, "\(points.count) values of \(dimensions)")
        return unsafe [Float](filling: count * components) { result in
            unsafe aqc_mixture_densities(
                points,
                count,
                dimensions,
                means,
                factors,
                logs,
                components,
                result
            )
        }
    }

    private static func logOfSum(_ densities: [Float], point: Int, count: Int, components: Int) -> Float {
        var largest = -Float.infinity
        for k in 0..<components { largest = max(largest, densities[k * count + point]) }
        var sum: Float = 0
        for k in 0..<components { sum += exp(densities[k * count + point] - largest) }
        return largest + log(sum)
    }

    /// One step of expectation maximisation: the responsibilities, then the moments of each component.
    private mutating func improve(_ points: [Float], count: Int) {
        var shares = logDensities(of: points, count: count)
        for point in 0..<count {
            let total = Self.logOfSum(shares, point: point, count: count, components: components)
            for k in 0..<components { shares[k * count + point] = exp(shares[k * count + point] - total) }
        }
        for k in 0..<components {
            let weights = Array(shares[k * count..<(k + 1) * count])
            let weight = weights.reduce(0) { $0 + Double($1) }
            logs[k] = Float(log(max(weight / Double(count), Self.smallestWeight)))
            // A component that is responsible for next to nothing stays as it was.
            if weight > 1e-3 { setMoments(of: k, points, weights: weights, weight: weight) }
            logs[k] += logDeterminant(of: k) - 0.5 * Float(dimensions) * Float(log(2 * Double.pi))
        }
    }

    private mutating func setMoments(
        of component: Int,
        _ points: [Float],
        weights: [Float],
        weight: Double
    ) {
        var sum = [Double](repeating: 0, count: dimensions)
        var products = [Double](repeating: 0, count: dimensions * dimensions)
        unsafe aqc_weighted_moments(points, weights, weights.count, dimensions, &sum, &products)
        let centre = sum.map { $0 / weight }
        for row in 0..<dimensions {
            means[component * dimensions + row] = Float(centre[row])
            for column in 0...row {
                let index = row * dimensions + column
                products[index] = products[index] / weight - centre[row] * centre[column]
                if row == column { products[index] = max(products[index], 0) + Self.regularisation }
            }
        }
        let inverse = Cholesky.inverseFactor(of: products, dimensions: dimensions)
        let start = component * dimensions * dimensions
        for index in inverse.indices { factors[start + index] = Float(inverse[index]) }
    }

    private func logDeterminant(of component: Int) -> Float {
        let start = component * dimensions * dimensions
        return (0..<dimensions).reduce(0) { $0 + log(factors[start + $1 * (dimensions + 1)]) }
    }

    /// Points far from each other (k-means++, Arthur and Vassilvitskii 2007).
    private static func seeds(
        _ points: [Float],
        dimensions: Int,
        components: Int,
        using random: inout SplitMix64
    ) -> [Float] {
        let count = points.count / dimensions
        func point(_ index: Int) -> [Float] { (0..<dimensions).map { points[$0 * count + index] } }
        var chosen = point(Int.random(in: 0..<count, using: &random))
        var nearest = [Float](repeating: .infinity, count: count)
        for number in 1..<max(components, 2) where number < components {
            let last = chosen.suffix(dimensions)
            var squares = [Float](repeating: 0, count: count)
            for (channel, centre) in zip(0..<dimensions, last) {
                for index in 0..<count {
                    let off = points[channel * count + index] - centre
                    squares[index] += off * off
                }
            }
            for index in 0..<count { nearest[index] = min(nearest[index], squares[index]) }
            let total = nearest.reduce(0) { $0 + Double($1) }
            var left = Double(random.nextUniform()) * total
            let next = nearest.firstIndex { value in
                left -= Double(value)
                return left < 0
            }
            chosen += point(next ?? count - 1)
        }
        return chosen
    }
}
