import Mathematics
import Plate
import Randomness

extension NormalTiles {
    /// Gaussians in the mixture, with enough tiles for them.
    private static let components = 16
    /// A Gaussian wants this many tiles.
    private static let tilesPerComponent = 60
    /// More tiles than these do not change the mixture.
    private static let mostTiles = 12_000

    /// Fits the tiles of measured normal frames, at least one; no classifier, and no scores.
    ///
    /// `background` is the grey value that levels are counted from. The same samples and seed give the same tiles.
    package init(fittedTo samples: [TileFigures], background: Float, seed: UInt64 = 1) {
        precondition(!samples.isEmpty, "normal frames are needed to know what is normal")
        var random = SplitMix64(state: seed)
        let all = samples.reduce(0) { $0 + $1.count }
        let share = min(Double(Self.mostTiles) / Double(all), 1)
        var values = [[Float]](repeating: [], count: TileFigures.channels)
        for figures in samples {
            for tile in 0..<figures.count where share == 1 || Double(random.nextUniform()) < share {
                for channel in values.indices {
                    values[channel].append(figures.values[channel * figures.count + tile])
                }
            }
        }
        let (moments, count) = (TileMoments(channels: values), values[0].count)
        let mixture = GaussianMixture(
            points: moments.standardised(values.flatMap(\.self), count: count),
            dimensions: TileFigures.channels,
            components: max(1, min(Self.components, count / Self.tilesPerComponent)),
            seed: seed
        )
        self.init(
            frames: samples.count,
            background: background,
            moments: moments,
            mixture: mixture,
            level: samples.map(\.level).upperMedian
        )
    }

    /// Figures in the spread of normal tiles, channel by channel as they came.
    package func standardised(_ figures: TileFigures) -> [Float] { moments.standardised(figures) }
}

/// Which frames are judged together, by what was fitted to all others.
///
/// Frames of one well are alike, and so are frames that follow one another: a fold that is drawn at random would know the neighbours
/// of its frames. So frames are put in order of well and time, and each fold is one stretch of them.
package enum Folds {
    /// More folds cost time, and change little.
    package static let most = 5

    /// The fold of each frame, from 0 on, from keys that sort by well and time; frames of one key are in one fold.
    package static func stretches<Key: Comparable>(_ keys: [Key]) -> [Int] {
        let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
        let count = min(most, keys.count)
        var folds = [Int](repeating: 0, count: keys.count)
        for (place, index) in order.enumerated() {
            let isLikeLast = place > 0 && keys[order[place - 1]] == keys[index]
            folds[index] = isLikeLast ? folds[order[place - 1]] : place * count / keys.count
        }
        return folds
    }
}

/// Which of some severities are too far out to say anything about the others.
package enum RobustLimit {
    /// Quartile spreads above the median from which on a frame is left out.
    private static let spreads = 8.0
    /// No frame below this severity is left out: a few frames that happen to be alike must not make others outliers.
    private static let least = 6.0

    /// The largest severity that is not left out.
    package static func limit(_ severities: [Double]) -> Double {
        let quartiles = severities.quantiles([0.25, 0.5, 0.75])
        return max(quartiles[1] + spreads * (quartiles[2] - quartiles[0]), least)
    }
}
