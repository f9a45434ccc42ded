import Mathematics

/// How unusual the distances of all terms are together.
///
/// Cells that vanish out of focus leave little detail, as wells with hardly any cells do, and many unlikely tiles, as such wells do not.
///
/// The distances z of a frame are those of its terms without their weights, below 0 for a figure below the median, within `reach` on
/// either side. With their second moments C over normal frames, the figure is the frame's distance from the median of all
/// (Mahalanobis 1936):
///
///     figure = sqrt(z^T C^-1 z)
///     C = (n S + k I) / (n + k)
///
/// for the moments S of n frames: as if k frames of independent terms had been seen as well. A few frames say little of what goes
/// with what.
struct Combination: Sendable, Equatable, Codable {
    /// What the figure is for normal frames.
    let scale: SeverityScale
    /// The inverse Cholesky factor of C, terms x terms, lower triangle.
    private let factor: [Double]

    /// A term that is farther out decides by itself.
    private static let reach = 4.0
    /// How many frames of independent terms are taken for known.
    private static let knownFrames = 10.0

    /// Fits it to the distances of normal frames, at least one; each frame's figure is measured by the moments of all others.
    init(normal frames: [[Double]], typicalSpread: Double?) {
        let frames = frames.map { $0.map(Self.limited) }
        let terms = frames[0].count
        var sums = [Double](repeating: 0, count: terms * terms)
        for frame in frames { Self.add(frame, 1, to: &sums) }
        let figures = frames.map { frame in
            var others = sums
            Self.add(frame, -1, to: &others)
            return Self.figure(of: frame, Self.factor(sums: others, frames: frames.count - 1, terms: terms))
        }
        scale = SeverityScale(normalValues: figures, typicalSpread: typicalSpread)
        factor = Self.factor(sums: sums, frames: frames.count, terms: terms)
    }

    /// How many terms it is of.
    var terms: Int { Int(Double(factor.count).squareRoot()) }

    /// The figure of a frame, by the distances of its terms.
    func figure(of distances: [Double]) -> Double {
        Self.figure(of: distances.map(Self.limited), factor)
    }

    private static func figure(of distances: [Double], _ factor: [Double]) -> Double {
        Cholesky.squaredDistance(distances, inverseFactor: factor).squareRoot()
    }

    /// Within reach; 0 for what is no number.
    private static func limited(_ distance: Double) -> Double {
        distance.isNaN ? 0 : min(max(distance, -reach), reach)
    }

    private static func add(_ frame: [Double], _ weight: Double, to sums: inout [Double]) {
        for row in frame.indices {
            for column in 0...row { sums[row * frame.count + column] += weight * frame[row] * frame[column] }
        }
    }

    private static func factor(sums: [Double], frames: Int, terms: Int) -> [Double] {
        var moments = sums.map { $0 / (Double(frames) + knownFrames) }
        for term in 0..<terms { moments[term * (terms + 1)] += knownFrames / (Double(frames) + knownFrames) }
        return Cholesky.inverseFactor(of: moments, dimensions: terms)
    }
}
