package import Randomness

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
            let seed = Int64(bitPattern: generator.next())
            return SimplexNoise(seed: seed).octaves(height: height, width: width)
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
