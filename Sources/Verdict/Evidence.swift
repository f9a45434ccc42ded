import Foundation
package import Plate

/// What is measured in a frame before anything is decided.
package struct Evidence: Sendable {
    /// The three image scores.
    package let scores: ImageScores
    /// The one of the three that the model was calibrated on.
    package let score: Double
    /// What the tiles say; `nil` for a model without tiles, and for frames too small for enough of them.
    package let tiles: TileEvidence?
    /// How the whole frame looks apart from its brightness; see `Judgement.appearance`.
    package let appearance: [Float]

    init(scores: ImageScores, score: Double, tiles: TileEvidence? = nil, appearance: [Float] = []) {
        (self.scores, self.score, self.tiles, self.appearance) = (scores, score, tiles, appearance)
    }

    /// What the tiles say alone, where the score map is not kept: terms of the image score mean nothing then.
    package init(_ tiles: TileEvidence) {
        self.init(scores: ImageScores(maximum: 0, mean: 0, patch: 0), score: 0, tiles: tiles)
    }
}

/// What the tiles of a frame say.
package struct TileEvidence: Sendable {
    /// What was measured in each tile.
    package let figures: TileFigures
    /// How unlikely each tile is among normal tiles: the negative logarithm of its density.
    let negativeLogLikelihoods: [Float]
    /// The logarithm of the odds that each tile is part of a fault; `nil` without a classifier.
    let faultLogits: [Float]?
    /// ln(level / median level of normal frames).
    let levelRatio: Double
    /// How much of the detail is fine; see `DetailPower`.
    let sharpness: (fine: Double, coarse: Double)
    /// ln(level / level of the frame) of its darkest and its brightest region.
    let light: (darkest: Double, brightest: Double)
    /// Means of the least likely tiles.
    let leastLikely: TopMeans
    /// Means of the tiles with the largest fault logits; `nil` without a classifier.
    let mostFaulty: TopMeans?

    init(
        figures: TileFigures,
        negativeLogLikelihoods: [Float],
        faultLogits: [Float]?,
        normalLevel: Float,
        normalPower: DetailPower
    ) {
        self.figures = figures
        self.negativeLogLikelihoods = negativeLogLikelihoods
        self.faultLogits = faultLogits
        levelRatio = Double(figures.level - normalLevel)
        sharpness = DetailPower(figures).sharpness(normal: normalPower)
        light = figures.lightOfRegions
        leastLikely = TopMeans(negativeLogLikelihoods)
        mostFaulty = faultLogits.map { TopMeans($0) }
    }

    /// How unusual each tile is: its fault logit, or its negative log-likelihood where there is no classifier.
    var tileScores: [Float] { faultLogits ?? negativeLogLikelihoods }

    /// The logarithm of the largest residual window of all tiles.
    var largestResidual: Double {
        Double(figures.values(of: .residualWindow).reduce(-.infinity) { max($0, $1) })
    }
}

/// The largest value of a frame's tiles, and means over the shares of largest values.
///
/// A small fault shows in the maximum, a large weak one in the mean of many tiles.
struct TopMeans: Sendable, Equatable {
    /// Shares of a frame's tiles; at least one tile each.
    static let sharesOfTiles = [0.005, 0.03, 0.2]

    /// The largest value.
    let maximum: Double
    /// Means of the largest 0.5, 3 and 20 % of the values.
    let shares: [Double]

    init(_ values: [Float]) {
        let falling = values.sorted(by: >)
        func mean(_ share: Double) -> Double {
            let count = max(1, Int((share * Double(falling.count)).rounded()))
            return falling[..<count].reduce(0) { $0 + Double($1) } / Double(count)
        }
        maximum = mean(0)
        shares = Self.sharesOfTiles.map(mean)
    }
}
