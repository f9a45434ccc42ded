import Foundation
import Mathematics
package import Plate

/// Tells the cause of a fault from what its tiles look like: Gaussians of one shape, one for each cause (linear discriminant
/// analysis, Fisher 1936).
///
/// Figures are distances from normal frames in their spread, so that a model fitted on one microscope holds roughly on another. Their
/// logarithm is taken as soon as they are far: a strong fault is then like a weak one of its kind, and no Gaussian is asked about a
/// place where it has no examples.
package struct CauseModel: Sendable, Equatable {
    /// The cause of each group of examples; a cause of several forms has several groups.
    package let causes: [Cause]
    /// Faulty frames that it was fitted to.
    package let frames: Int
    /// Causes x dimensions.
    private let means: [Double]
    /// The inverse Cholesky factor of the common covariance, lower triangle.
    private let factor: [Double]
    /// A frame that is farther than this from every cause is like none.
    private let reach: Double

    /// Below this confidence, where all others together are likelier, the answer is `unknown`.
    package static let smallestConfidence = 0.5
    /// Share of the identity in the covariance.
    private static let shrinkage = 0.15
    /// Of the frames it was fitted to, this share is within reach.
    private static let reached = 0.98

    /// What is known of a faulty frame when its cause is asked for.
    struct Features {
        /// Figures of the frame, a point of the model's space.
        let values: [Double]
        /// Whether every pixel is alike.
        let isBlank: Bool
    }

    /// Fits the model to faulty frames of known causes; `nil` without two causes.
    package init?(_ examples: [CauseExample]) {
        let groups = Dictionary(grouping: examples) { "\($0.cause.rawValue) \($0.form)" }
        let known = groups.keys.sorted()
        guard Set(examples.map(\.cause)).count > 1, let dimensions = examples.first?.values.count else {
            return nil
        }
        let centres = known.map { name in
            let own = groups[name] ?? []
            return (0..<dimensions).map { index in
                own.reduce(0) { $0 + $1.values[index] } / Double(own.count)
            }
        }
        var scatter = [Double](repeating: 0, count: dimensions * dimensions)
        for example in examples {
            let values = example.values
            guard let index = known.firstIndex(of: "\(example.cause.rawValue) \(example.form)") else {
                continue
            }
            let off = zip(values, centres[index]).map { $0 - $1 }
            for row in 0..<dimensions {
                for column in 0...row {
                    scatter[row * dimensions + column] += off[row] * off[column] / Double(examples.count)
                }
            }
        }
        for row in 0..<dimensions {
            let variance = scatter[row * dimensions + row]
            for column in 0..<row { scatter[row * dimensions + column] *= 1 - Self.shrinkage }
            scatter[row * dimensions + row] = variance + 1e-4
        }
        causes = known.compactMap { groups[$0]?.first?.cause }
        frames = examples.count
        means = centres.flatMap(\.self)
        factor = Cholesky.inverseFactor(of: scatter, dimensions: dimensions)
        let (means, factor) = (means, factor)
        let distances = examples.map { example in
            Self.distances(example.values, means: means, factor: factor).min() ?? 0
        }.sorted()
        reach = distances[Int(Self.reached * Double(distances.count - 1))] * 4
    }

    /// The likeliest of the known causes, or `unknown`.
    ///
    /// Whether the frame is blank is asked before (`Calibration.judge`).
    func cause(of features: Features) -> ProbableCause {
        guard features.values.count * causes.count == means.count else { return .unknown }
        let distances = Self.distances(features.values, means: means, factor: factor)
        guard let nearest = distances.min(), let index = distances.firstIndex(of: nearest), nearest.isFinite
        else { return .unknown }
        let cause = causes[index]
        let shares = distances.map { exp((nearest - $0) / 2) }
        let own = zip(causes, shares).reduce(0) { $0 + ($1.0 == cause ? $1.1 : 0) }
        let confidence = own / shares.reduce(0, +)
        guard nearest <= reach, confidence >= Self.smallestConfidence else { return .unknown }
        return ProbableCause(cause, confidence: confidence)
    }

    /// The likeliest cause of a faulty frame, or `unknown`.
    package func cause(of example: CauseExample) -> ProbableCause {
        cause(of: Features(values: example.values, isBlank: false))
    }

    /// Squared distances from each cause.
    private static func distances(_ values: [Double], means: [Double], factor: [Double]) -> [Double] {
        let n = values.count
        return stride(from: 0, to: means.count, by: n).map { start in
            let off = (0..<n).map { values[$0] - means[start + $0] }
            return (0..<n).reduce(0) { sum, row in
                let solved = (0...row).reduce(0) { $0 + factor[row * n + $1] * off[$1] }
                return sum + solved * solved
            }
        }
    }
}

/// A faulty frame of a known cause, as figures that a `CauseModel` is fitted to.
package struct CauseExample: Sendable {
    let cause: Cause
    /// What forms of one cause are told apart by; dust and missing rows, both artifacts, have nothing in common.
    let form: String
    let values: [Double]

    init(_ cause: Cause, form: String = "", values: [Double]) {
        (self.cause, self.form, self.values) = (cause, form, values)
    }

    /// Takes the tiles of a faulty frame, by what the tiles of normal frames look like.
    package init(_ cause: Cause, form: String = "", _ tiles: TileEvidence, by normal: NormalTiles) {
        (self.cause, self.form) = (cause, form)
        values = normal.causeFeatures(of: tiles).values
    }
}

extension NormalTiles {
    /// This share of a frame's tiles, those with the largest scores, shows what a fault looks like.
    private static let lookedAt = 0.03
    /// Variance within blocks of 4 pixels, as a logarithm, below which a tile has no detail at all.
    private static let noDetail: Float = -13.7
    /// Share of tiles without detail from which on a frame is blank.
    private static let blankShare = 0.95

    /// How much the figures below usually differ among normal frames: means over a few tiles and over all of them, brightness, places
    /// of tiles, and light of regions.
    private static let typicalSpreads = [
        Array(repeating: [0.2, 0.03], count: TileFigures.channels).flatMap(\.self), [0.05],
        Array(repeating: 0.2, count: 4), Array(repeating: 0.02, count: 2),
    ].flatMap(\.self)

    /// What the figures that a cause is told from are in normal frames; `frames` holds each with what was fitted to others.
    package static func causeScales(normal frames: [(evidence: TileEvidence, tiles: NormalTiles)])
        -> [SeverityScale]
    {
        let figures = frames.map { $0.tiles.causeFigures(of: $0.evidence) }
        return typicalSpreads.enumerated().map { number, spread in
            SeverityScale(normalValues: figures.map { $0[number] }, typicalSpread: spread)
        }
    }

    /// What the cause of a fault is told from: `causeFigures` as distances from normal frames, on a scale that is linear near 0 and
    /// logarithmic far from it.
    func causeFeatures(of evidence: TileEvidence) -> CauseModel.Features {
        let figures = causeFigures(of: evidence)
        let bare = evidence.figures.values(of: .detail4).count { $0 < Self.noDetail }
        return CauseModel.Features(
            values: zip(figures, causeScales).map { asinh($1.distance(of: $0)) },
            isBlank: Double(bare) > Self.blankShare * Double(evidence.figures.count)
        )
    }

    /// Mean figures of the tiles with the largest scores and of all tiles, against normal tiles; the brightness of the frame; how many
    /// tiles have large scores, how far they spread over the frame, and whether they lie in one row; the light of regions.
    private func causeFigures(of evidence: TileEvidence) -> [Double] {
        let (figures, scores) = (evidence.figures, evidence.tileScores)
        let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        let largest = order.prefix(max(1, Int(Self.lookedAt * Double(order.count))))
        var values: [Double] = []
        for channel in 0..<TileFigures.channels {
            let start = channel * figures.count
            let there = largest.reduce(0) { $0 + figures.values[start + $1] } / Float(largest.count)
            let all = (0..<figures.count).reduce(0) { $0 + figures.values[start + $1] } / Float(figures.count)
            values += [Double(there - moments.centre[channel]), Double(all - moments.centre[channel])]
        }
        values += [evidence.levelRatio]
        values += geometry(of: figures, scores)
        return values + [evidence.light.darkest, evidence.light.brightest]
    }

    /// Whether every pixel of a measured frame is alike.
    package func isBlank(_ evidence: TileEvidence) -> Bool { causeFeatures(of: evidence).isBlank }

    private func geometry(of figures: TileFigures, _ scores: [Float]) -> [Double] {
        let large = scores.indices.filter { scores[$0] > self.scores.medianMaximum }
        guard !large.isEmpty else { return [log(1 / Double(figures.count)), 0, 0, 0] }
        let rows = large.map { $0 / figures.columns }
        let columns = large.map { $0 % figures.columns }
        func spread(_ places: [Int], of count: Int) -> Double {
            let mean = Double(places.reduce(0, +)) / Double(places.count)
            let squares = places.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            return (squares / Double(places.count)).squareRoot() / Double(count)
        }
        let fullest = Dictionary(grouping: rows) { $0 }.values.map(\.count).max() ?? 0
        return [
            log(Double(large.count) / Double(figures.count)), 3 * spread(rows, of: figures.rows),
            3 * spread(columns, of: figures.columns), Double(fullest) / Double(figures.columns),
        ]
    }
}

extension CauseModel: Codable {
    private enum CodingKeys: String, CodingKey { case causes, frames, means, factor, reach }

    /// Reads what was stored; throws if it does not fit together.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        causes = try values.decode([Cause].self, forKey: .causes)
        frames = try values.decode(Int.self, forKey: .frames)
        means = [Float](packed: try values.decode(Data.self, forKey: .means)).map { Double($0) }
        factor = [Float](packed: try values.decode(Data.self, forKey: .factor)).map { Double($0) }
        reach = try values.decode(Double.self, forKey: .reach)
        let dimensions = causes.isEmpty ? 0 : means.count / causes.count
        guard dimensions > 0, means.count == dimensions * causes.count,
            factor.count == dimensions * dimensions
        else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: values.codingPath,
                    debugDescription: "the parts of the cause model do not fit"
                )
            )
        }
    }

    /// Writes it; arrays as little-endian 32-bit floats.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(causes, forKey: .causes)
        try values.encode(frames, forKey: .frames)
        try values.encode(Data(means.map { Float($0) }.packed), forKey: .means)
        try values.encode(Data(factor.map { Float($0) }.packed), forKey: .factor)
        try values.encode(reach, forKey: .reach)
    }
}
