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
            level: samples.map(\.level).upperMedian,
            power: DetailPower(medianOf: samples.map { DetailPower($0) })
        )
    }
}
