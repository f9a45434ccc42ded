import CKernels
import Foundation
package import Randomness

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

/// The noise that hides a patch from the network.
package enum NoiseKind: String, Sendable, Codable, CaseIterable {
    /// Six octaves of OpenSimplex noise from a drawn seed: coarse blobs with fine grain (AnoDDPM 2022, pDDPM
    /// 2023).
    case simplex
    /// Independent per pixel, mean 0, standard deviation 1.
    case gaussian
    /// Gaussian of standard deviation 0.2 on a 16 x 16 grid, enlarged, rolled by a random offset (Kascenas
    /// 2022).
    case coarse

    /// Draws a field of height x width, row-major.
    package func field(height: Int, width: Int, using generator: inout SplitMix64) -> [Float] {
        precondition(height > 0 && width > 0, "no noise for \(height) x \(width)")
        switch self {
        case .simplex:
            return SimplexNoise(using: &generator).octaves(height: height, width: width)
        case .gaussian:
            return (0..<height * width).map { _ in generator.nextGaussian() }
        case .coarse:
            return Self.coarseField(height: height, width: width, using: &generator)
        }
    }

    private static let gridSize = 16
    private static let coarseDeviation: Float = 0.2

    /// The grid's corners lie on the field's corner pixels before the roll.
    private static func coarseField(
        height: Int,
        width: Int,
        using generator: inout SplitMix64
    ) -> [Float] {
        let grid = (0..<gridSize * gridSize).map { _ in coarseDeviation * generator.nextGaussian() }
        let rows = gridPositions(count: height, roll: Int.random(in: 0..<height, using: &generator))
        let columns = gridPositions(count: width, roll: Int.random(in: 0..<width, using: &generator))
        var field: [Float] = []
        field.reserveCapacity(height * width)
        for row in rows {
            for column in columns {
                let corner = row.index * gridSize + column.index
                let top = grid[corner] + column.fraction * (grid[corner + 1] - grid[corner])
                let below = corner + gridSize
                let bottom = grid[below] + column.fraction * (grid[below + 1] - grid[below])
                field.append(top + row.fraction * (bottom - top))
            }
        }
        return field
    }

    private static func gridPositions(count: Int, roll: Int) -> [(index: Int, fraction: Float)] {
        (0..<count).map { target in
            let source = (target + roll) % count
            let position = count > 1 ? Float(source) * Float(gridSize - 1) / Float(count - 1) : 0
            let index = min(Int(position), gridSize - 2)
            return (index, position - Float(index))
        }
    }
}

/// OpenSimplex noise (Kurt Spencer, 2014 version) in two dimensions: smooth, without direction, different per
/// seed.
///
/// Each vertex v of a triangular lattice carries a slope g chosen by the permutation, and adds
/// max(0, 2 - d^2)^4 (g . d) / 47 at distance vector d from it.
package struct SimplexNoise: Sendable, Equatable {
    /// The 256 numbers that choose each vertex's slope.
    package let permutation: [UInt8]

    /// Octaves of a field.
    package static let octaveCount = 6
    /// The amplitude of an octave as a share of that of the one before it.
    package static let persistence = 0.8
    /// Pixels in a lattice length of the first octave.
    package static let firstFrequency = 64.0

    /// Draws a seed.
    package init(using generator: inout SplitMix64) {
        self.init(seed: Int64(bitPattern: generator.next()))
    }

    /// Shuffles the numbers 0 to 255 with the 64-bit linear congruential generator that OpenSimplex uses.
    package init(seed: Int64) {
        var state = seed
        let advance = { state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
        for _ in 0..<3 { advance() }
        var left = (0...255).map { UInt8($0) }
        var shuffled = left
        for last in stride(from: 255, through: 0, by: -1) {
            advance()
            let count = Int64(last + 1)
            let remainder = (state &+ 31) % count
            let pick = Int(remainder < 0 ? remainder + count : remainder)
            shuffled[last] = left[pick]
            left[pick] = left[last]
        }
        permutation = shuffled
    }

    /// A field of height x width: entry [i][j] is the sum over octaves k of persistence^k noise(j / f_k, i /
    /// f_k).
    ///
    /// `f_0` is `firstFrequency`, in pixels per lattice unit, and each octave halves it. The defaults are
    /// those of AnoDDPM and pDDPM. Values stay within about -3 ... 3 for six octaves of persistence 0.8.
    package func octaves(
        height: Int,
        width: Int,
        octaves: Int = SimplexNoise.octaveCount,
        persistence: Double = SimplexNoise.persistence,
        firstFrequency: Double = SimplexNoise.firstFrequency
    ) -> [Float] {
        precondition(
            height > 0 && width > 0 && octaves > 0 && firstFrequency > 0,
            "no noise of \(octaves) octaves from \(firstFrequency) for \(height) x \(width)"
        )
        var field = [Double](repeating: 0, count: height * width)
        var frequency = firstFrequency
        var amplitude = 1.0
        for _ in 0..<octaves {
            unsafe aqc_simplex_octave(permutation, &field, height, width, frequency, amplitude)
            frequency /= 2
            amplitude *= persistence
        }
        return field.map { Float($0) }
    }
}
