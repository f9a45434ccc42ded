import Foundation
import Randomness

extension NormalModel {
    /// What learning is told.
    struct LearningOptions {
        /// Share of normal frames that may be called faulty.
        var falseAlarmRate = 0.001
        /// Seed of everything drawn at random.
        var seed: UInt64 = 1
        /// The part that each frame has its turn with; `nil` deals neighbours to different ones.
        var turns: [Int]?
        /// What known faults taught.
        var classifier: TileClassifier?
    }

    /// Gaussians in the mixture, with enough tiles for them.
    private static let components = 16
    /// A Gaussian wants this many tiles.
    private static let tilesPerComponent = 60
    /// More tiles than these do not change the mixture.
    private static let mostTiles = 12_000
    /// Each part of the frames is judged by what the others taught.
    private static let turns = 5
    private static let smallestSpread: Float = 1e-3
    /// In logarithms of odds: a few frames that happen to be alike shall not make every other one suspicious.
    private static let smallestSpreadOfSuspicion = 0.3
    /// The same of the largest residual, in logarithms.
    private static let smallestSpreadOfPeak = 0.03

    /// Learns from measured normal frames of one size, at least one.
    ///
    /// Scales and threshold come from frames that the mixture has not seen, by fitting it to four fifths of them in turn;
    /// changed copies of a frame lie in different fifths, so that a frame which is the only one of its kind counts as normal.
    static func learnt(
        from samples: [TileTable],
        size: (height: Int, width: Int),
        background: Float,
        options: LearningOptions
    ) -> NormalModel {
        precondition(!samples.isEmpty, "normal frames are needed to know what is normal")
        let parts = min(turns, samples.count)
        let turn = options.turns ?? samples.indices.map { ($0 + $0 / parts) % parts }
        let surprises = unseenSurprises(samples, turns: turn, seed: options.seed)
        let levels = samples.map { level(of: $0) }
        let reference = levels.sorted()[levels.count / 2]
        let cloud = TileCloud(samples, seed: options.seed)
        let classifier = options.classifier.flatMap { $0.fits(samples[0]) ? $0 : nil }
        let suspicions = classifier.map { classifier in
            samples.map { classifier.suspicions(of: cloud.standardised($0), count: $0.count) }
        }
        let described = samples.indices.map {
            Self.parts(
                surprises: surprises[$0],
                suspicions: suspicions?[$0],
                whole: whole(of: samples[$0], level: reference)
            )
        }
        var model = NormalModel(
            size: size,
            frames: samples.count,
            background: background,
            centre: cloud.centre,
            spread: cloud.spread,
            mixture: cloud.mixture,
            level: reference,
            scales: scales(of: described),
            suspicion: suspicion(of: suspicions ?? surprises),
            classifier: classifier,
            threshold: (0, .conformal(ConformalThreshold(normalValues: [0], falseAlarmRate: 0.5)))
        )
        let threshold = ConformalThreshold(
            normalValues: described.map { model.severity(of: $0) },
            falseAlarmRate: options.falseAlarmRate
        )
        (model.threshold, model.origin) = (threshold.value, .conformal(threshold))
        return model
    }

    /// The spread of each part of the severity over normal frames.
    private static func scales(of described: [[Double]]) -> [SeverityScale] {
        described[0].indices.map { part in
            let scale = SeverityScale(normalScores: described.map { $0[part] })
            switch part {
            case ...shares.count: return scale
            case shares.count + 1: return scale.widened(to: smallestSpreadOfPeak)
            default: return scale.widened(to: smallestSpreadOfSuspicion)
            }
        }
    }

    /// Medians over normal frames: of all tiles, and of each frame's most suspicious one.
    private static func suspicion(of tiles: [[Float]]) -> (ordinary: Float, striking: Float) {
        let striking = tiles.map { $0.max() ?? 0 }.sorted()
        let all = tiles.flatMap(\.self).sorted()
        return (all[all.count / 2], striking[striking.count / 2])
    }

    /// How far each sample is from what those of the other turns teach, in the spread of them all.
    static func unseenSeverities(of samples: [TileTable], turns turn: [Int], seed: UInt64) -> [Double] {
        let levels = samples.map { level(of: $0) }
        let reference = levels.sorted()[levels.count / 2]
        let described = zip(unseenSurprises(samples, turns: turn, seed: seed), samples).map {
            Self.parts(surprises: $0, suspicions: nil, whole: whole(of: $1, level: reference))
        }
        let scales = scales(of: described)
        return described.map { severity(of: $0, in: scales, hasClassifier: false) }
    }

    /// The surprises of each frame's tiles by a mixture that was fitted to the frames of other turns.
    private static func unseenSurprises(_ samples: [TileTable], turns turn: [Int], seed: UInt64) -> [[Float]]
    {
        let parts = (turn.max() ?? 0) + 1
        var surprises = [[Float]](repeating: [], count: samples.count)
        for part in 0..<parts {
            // A single frame has nobody else to learn from.
            let others = samples.indices.filter { turn[$0] != part || parts == 1 }
            let cloud = TileCloud(others.map { samples[$0] }, seed: seed)
            let mixture = cloud.mixture
            for index in samples.indices where turn[index] == part {
                surprises[index] = mixture.surprises(of: cloud.standardised(samples[index]))
            }
        }
        return surprises
    }

    /// Mean and standard deviation of each figure over the tiles of some frames, at least one.
    static func moments(of tables: [TileTable]) -> (centre: [Float], spread: [Float]) {
        let cloud = TileCloud(tables, seed: 1)
        return (cloud.centre, cloud.spread)
    }

    /// Tiles of some frames, thinned, and how they lie.
    private struct TileCloud {
        let centre: [Float]
        let spread: [Float]
        private let points: [Float]
        private let seed: UInt64

        init(_ tables: [TileTable], seed: UInt64) {
            self.seed = seed
            var random = SplitMix64(state: seed)
            let all = tables.reduce(0) { $0 + $1.count }
            let share = min(Double(NormalModel.mostTiles) / Double(all), 1)
            var values = [[Float]](repeating: [], count: TileTable.channels)
            for table in tables {
                for tile in 0..<table.count where share == 1 || Double(random.nextUniform()) < share {
                    for channel in values.indices {
                        values[channel].append(table.values[channel * table.count + tile])
                    }
                }
            }
            let moments = values.map { Self.moments($0) }
            centre = moments.map(\.mean)
            spread = moments.map { max($0.spread, NormalModel.smallestSpread) }
            points = values.flatMap(\.self)
        }

        var mixture: GaussianMixture {
            let count = points.count / TileTable.channels
            return GaussianMixture(
                points: NormalModel.standardised(points, count: count, centre: centre, spread: spread),
                dimensions: TileTable.channels,
                components: max(1, min(NormalModel.components, count / NormalModel.tilesPerComponent)),
                seed: seed
            )
        }

        func standardised(_ table: TileTable) -> [Float] {
            NormalModel.standardised(table.values, count: table.count, centre: centre, spread: spread)
        }

        private static func moments(_ values: [Float]) -> (mean: Float, spread: Float) {
            let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
            let squares = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            return (Float(mean), Float((squares / Double(values.count)).squareRoot()))
        }
    }
}
