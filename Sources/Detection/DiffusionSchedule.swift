import Foundation

/// How much of the image and how much noise there is at each timestep: x_t = sqrt(abar_t) x_0 + sqrt(1 -
/// abar_t) noise.
///
/// The cosine schedule of Nichol and Dhariwal (2021, equation 17): f(u) = cos^2((u + s) / (1 + s) * pi / 2),
/// beta_t = min(1 - f((t + 1) / T) / f(t / T), 0.999), and abar_t is the product of 1 - beta up to t, all in
/// Double.
package struct DiffusionSchedule: Sendable, Equatable {
    /// abar_t for t = 0 ..< count: the share of the image's variance that is left.
    package let signalVariance: [Float]
    /// sqrt(abar_t): what the image is multiplied by.
    package let signalScale: [Float]
    /// sqrt(1 - abar_t): what the noise is multiplied by.
    package let noiseScale: [Float]

    /// Number of timesteps, T.
    package var count: Int { signalVariance.count }

    /// Computes the schedule for `count` timesteps, at least 1.
    package init(count: Int = 1000, offset: Double = 0.008, largestBeta: Double = 0.999) {
        precondition(count > 0, "a schedule of \(count) timesteps is empty")
        let remaining = { (time: Int) -> Double in
            let angle = (Double(time) / Double(count) + offset) / (1 + offset) * .pi / 2
            return cos(angle) * cos(angle)
        }
        var product = 1.0
        let products = (0..<count).map { time in
            product *= 1 - min(1 - remaining(time + 1) / remaining(time), largestBeta)
            return product
        }
        signalVariance = products.map { Float($0) }
        signalScale = products.map { Float($0.squareRoot()) }
        noiseScale = products.map { Float((1 - $0).squareRoot()) }
    }
}
