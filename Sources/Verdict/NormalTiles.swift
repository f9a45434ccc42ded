import Foundation
import Mathematics
package import Plate

/// What the tiles of normal frames look like.
///
/// The score map alone misses a frame out of focus, which is easy to reconstruct, and a thin hair among many cells. So a mixture of
/// Gaussians over the figures of single tiles (`TileFigures`) says how unlikely each tile is. Only normal frames are needed. A
/// classifier of tiles, fitted to known faults, says beside it which unlikely tiles look like a fault.
package struct NormalTiles: Sendable, Equatable {
    /// Number of the frames that it was fitted to.
    package let frames: Int
    /// What known faults look like; `nil` where none were given.
    package var classifier: TileClassifier?

    /// Grey value of the background of normal frames.
    package let background: Float
    /// Mean and spread of each figure over normal tiles.
    let moments: TileMoments
    /// Of the figures, centred and scaled.
    let mixture: GaussianMixture
    /// Median over normal frames of the logarithm of their level.
    let level: Float
    /// Median over normal frames of the power of their detail.
    let power: DetailPower
    /// What the scores of normal tiles are; see `TileEvidence.tileScores`.
    package var scores = NormalScores()
    /// What the figures that a cause is told from are in normal frames, in their order; empty where they were not measured.
    package var causeScales: [SeverityScale] = []

    init(
        frames: Int,
        background: Float,
        moments: TileMoments,
        mixture: GaussianMixture,
        level: Float,
        power: DetailPower
    ) {
        self.frames = frames
        self.background = background
        (self.moments, self.mixture, self.level, self.power) = (moments, mixture, level, power)
    }

    /// In smaller frames every tile is near any fault, and unlikely with it: 40 tiles are 256 x 160 pixels.
    package static let fewestTiles = 40

    /// What is measured in the tiles of a frame of any size; `nil` where it has too few.
    package func figures(of frame: Frame, map: ScoreMap) -> TileFigures? {
        Self.figures(of: frame, map: map, background: background)
    }

    /// What is measured in the tiles of a frame of any size; `nil` where it has too few.
    package static func figures(of frame: Frame, map: ScoreMap, background: Float) -> TileFigures? {
        guard let figures = TileFigures(frame: frame, map: map, background: background),
            figures.count >= fewestTiles
        else { return nil }
        return figures
    }

    /// What the tiles of a measured frame say.
    package func evidence(of figures: TileFigures) -> TileEvidence {
        let points = moments.standardised(figures)
        return TileEvidence(
            figures: figures,
            negativeLogLikelihoods: mixture.negativeLogLikelihoods(of: points),
            faultLogits: classifier?.faultLogits(of: points, count: figures.count),
            normalLevel: level,
            normalPower: power
        )
    }

    /// How the whole frame looks: the mean over its tiles of each figure but the level, in the spread of normal tiles.
    ///
    /// Without the level, as lamps vary, and a frame that is too bright is the severity's matter.
    func appearance(of figures: TileFigures) -> [Float] {
        TileFigures.Channel.all.filter { $0 != .level }.map { channel in
            let mean = figures.values(of: channel).reduce(0, +) / Float(figures.count)
            return (mean - moments.centre[channel.number]) / moments.spread[channel.number]
        }
    }
}

/// What the scores of the tiles of normal frames are, by which the mask weighs tiles.
package struct NormalScores: Sendable, Equatable {
    /// Median over all tiles.
    let median: Float
    /// Median over the frames of their largest tile score.
    let medianMaximum: Float

    init(median: Float = 0, medianMaximum: Float = 1) {
        (self.median, self.medianMaximum) = (median, medianMaximum)
    }

    /// Of the tiles of normal frames, at least one.
    package init(normal: [TileEvidence]) {
        let largest = normal.map { $0.tileScores.max() ?? 0 }
        self.init(
            median: normal.flatMap(\.tileScores).upperMedian,
            medianMaximum: largest.upperMedian
        )
    }
}

extension NormalTiles: Codable {
    private enum Key: String, CodingKey {
        case frames, background, centre, spread, components, means, factors, logs, level, power
        case medianScore, medianMaximum, causeScales, classifier
    }

    /// Reads what was stored; throws if it does not fit together.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func packed(_ key: Key) throws -> [Float] {
            [Float](packed: try values.decode(Data.self, forKey: key))
        }
        let mixture = GaussianMixture(
            dimensions: TileFigures.channels,
            components: try values.decode(Int.self, forKey: .components),
            means: try packed(.means),
            factors: try packed(.factors),
            logs: try packed(.logs)
        )
        guard let mixture, let moments = TileMoments(centre: try packed(.centre), spread: try packed(.spread))
        else {
            let problem = "the parts of the normal tiles do not fit together; calibrate again"
            throw DecodingError.dataCorrupted(.init(codingPath: values.codingPath, debugDescription: problem))
        }
        self.init(
            frames: try values.decode(Int.self, forKey: .frames),
            background: try values.decode(Float.self, forKey: .background),
            moments: moments,
            mixture: mixture,
            level: try values.decode(Float.self, forKey: .level),
            power: try values.decode(DetailPower.self, forKey: .power)
        )
        scores = NormalScores(
            median: try values.decode(Float.self, forKey: .medianScore),
            medianMaximum: try values.decode(Float.self, forKey: .medianMaximum)
        )
        causeScales = try values.decode([SeverityScale].self, forKey: .causeScales)
        classifier = try values.decodeIfPresent(TileClassifier.self, forKey: .classifier)
    }

    /// Writes it; arrays as little-endian 32-bit floats.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(frames, forKey: .frames)
        try values.encode(background, forKey: .background)
        try values.encode(Data(moments.centre.packed), forKey: .centre)
        try values.encode(Data(moments.spread.packed), forKey: .spread)
        try values.encode(mixture.components, forKey: .components)
        try values.encode(Data(mixture.means.packed), forKey: .means)
        try values.encode(Data(mixture.factors.packed), forKey: .factors)
        try values.encode(Data(mixture.logs.packed), forKey: .logs)
        try values.encode(level, forKey: .level)
        try values.encode(power, forKey: .power)
        try values.encode(scores.median, forKey: .medianScore)
        try values.encode(scores.medianMaximum, forKey: .medianMaximum)
        try values.encode(causeScales, forKey: .causeScales)
        try values.encodeIfPresent(classifier, forKey: .classifier)
    }
}
