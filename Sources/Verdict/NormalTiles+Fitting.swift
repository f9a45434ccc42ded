import Plate
import Randomness

/// Fits `NormalTiles`, the severity of their frames and its threshold to the measured tiles of normal frames.
package struct NormalTilesFit: Sendable {
    /// Share of normal frames that may be called faulty.
    package var falseAlarmRate = 0.001
    /// Seed of everything drawn at random.
    package var seed: UInt64 = 1
    /// The fold of each frame; `nil` deals neighbours to different folds.
    package var folds: [Int]?
    /// What known faults look like, if anything is known.
    package var classifier: TileClassifier?

    /// Gaussians in the mixture, with enough tiles for them.
    private static let components = 16
    /// A Gaussian wants this many tiles.
    private static let tilesPerComponent = 60
    /// More tiles than these do not change the mixture.
    private static let mostTiles = 12_000
    /// Each fold of the frames is judged by a mixture that was fitted to the other folds.
    private static let foldCount = 5

    /// The defaults.
    package init() {}

    /// What was found.
    package struct Result: Sendable {
        /// What the tiles of normal frames look like.
        package let tiles: NormalTiles
        /// The fitted severity.
        package let severity: Severity
        /// The severity above which a frame is faulty.
        package let threshold: ConformalThreshold
    }

    /// Fits measured normal frames of one size, height x width, at least one.
    ///
    /// Scales and threshold come from frames that the mixture has not seen: it is fitted to four folds of five in turn. Changed
    /// copies of a frame lie in different folds, so that a frame which is the only one of its kind counts as normal.
    package func fitted(
        to samples: [TileFigures],
        size: (height: Int, width: Int),
        background: Float
    ) -> Result {
        precondition(!samples.isEmpty, "normal frames are needed to know what is normal")
        let count = min(Self.foldCount, samples.count)
        let folds = folds ?? samples.indices.map { ($0 + $0 / count) % count }
        let likelihoods = Self.outOfFold(samples, folds: folds, seed: seed)
        let level = Self.medianLevel(of: samples)
        let cloud = TileCloud(samples, seed: seed)
        let classifier = classifier.flatMap { $0.fits(samples[0]) ? $0 : nil }
        let evidence = samples.indices.map { index in
            let points = cloud.moments.standardised(samples[index])
            let tiles = TileEvidence(
                figures: samples[index],
                negativeLogLikelihoods: likelihoods[index],
                faultLogits: classifier?.faultLogits(of: points, count: samples[index].count),
                normalLevel: level
            )
            return Evidence(tiles)
        }
        let tiles = NormalTiles(
            size: size,
            frames: samples.count,
            background: background,
            moments: cloud.moments,
            mixture: cloud.mixture,
            level: level,
            tileScore: Self.tileScore(of: evidence.map { $0.tiles?.tileScores ?? [] }),
            classifier: classifier
        )
        let severity = Severity(SeverityTerm.ofTiles(hasClassifier: classifier != nil), normal: evidence)
        let threshold = ConformalThreshold(
            normalValues: evidence.map { severity.total(of: $0) },
            falseAlarmRate: falseAlarmRate
        )
        return Result(tiles: tiles, severity: severity, threshold: threshold)
    }

    /// The severity of each sample by a mixture that was fitted to the other folds, in the spread of all of them.
    package static func outOfFoldSeverities(
        of samples: [TileFigures],
        folds: [Int],
        seed: UInt64
    ) -> [Double] {
        let level = medianLevel(of: samples)
        let evidence = zip(outOfFold(samples, folds: folds, seed: seed), samples).map {
            likelihoods,
            figures in
            Evidence(
                TileEvidence(
                    figures: figures,
                    negativeLogLikelihoods: likelihoods,
                    faultLogits: nil,
                    normalLevel: level
                )
            )
        }
        let severity = Severity(SeverityTerm.ofTiles(hasClassifier: false), normal: evidence)
        return evidence.map { severity.total(of: $0) }
    }

    /// Mean and spread of each figure over the tiles of some frames, at least one.
    package static func moments(of samples: [TileFigures]) -> TileMoments {
        TileCloud(samples, seed: 1).moments
    }

    private static func medianLevel(of samples: [TileFigures]) -> Float {
        samples.map(\.medianLevel).sorted()[samples.count / 2]
    }

    /// Medians over normal frames: of all tiles' scores, and of each frame's largest one.
    private static func tileScore(of tiles: [[Float]]) -> (median: Float, medianMaximum: Float) {
        let largest = tiles.map { $0.max() ?? 0 }.sorted()
        let all = tiles.flatMap(\.self).sorted()
        return (all[all.count / 2], largest[largest.count / 2])
    }

    /// The negative log-likelihoods of each frame's tiles by a mixture that was fitted to the frames of other folds.
    private static func outOfFold(_ samples: [TileFigures], folds: [Int], seed: UInt64) -> [[Float]] {
        let count = (folds.max() ?? 0) + 1
        var likelihoods = [[Float]](repeating: [], count: samples.count)
        for fold in 0..<count {
            // A single frame has no other to be compared with.
            let others = samples.indices.filter { folds[$0] != fold || count == 1 }
            let cloud = TileCloud(others.map { samples[$0] }, seed: seed)
            let mixture = cloud.mixture
            for index in samples.indices where folds[index] == fold {
                let points = cloud.moments.standardised(samples[index])
                likelihoods[index] = mixture.negativeLogLikelihoods(of: points)
            }
        }
        return likelihoods
    }

    /// Tiles of some frames, thinned, and how they lie.
    private struct TileCloud {
        let moments: TileMoments
        private let points: [Float]
        private let seed: UInt64

        init(_ samples: [TileFigures], seed: UInt64) {
            self.seed = seed
            var random = SplitMix64(state: seed)
            let all = samples.reduce(0) { $0 + $1.count }
            let share = min(Double(NormalTilesFit.mostTiles) / Double(all), 1)
            var values = [[Float]](repeating: [], count: TileFigures.channels)
            for figures in samples {
                for tile in 0..<figures.count where share == 1 || Double(random.nextUniform()) < share {
                    for channel in values.indices {
                        values[channel].append(figures.values[channel * figures.count + tile])
                    }
                }
            }
            moments = TileMoments(channels: values)
            points = values.flatMap(\.self)
        }

        var mixture: GaussianMixture {
            let count = points.count / TileFigures.channels
            return GaussianMixture(
                points: moments.standardised(points, count: count),
                dimensions: TileFigures.channels,
                components: max(
                    1,
                    min(NormalTilesFit.components, count / NormalTilesFit.tilesPerComponent)
                ),
                seed: seed
            )
        }
    }
}
