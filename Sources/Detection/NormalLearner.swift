package import Plate

/// Collects normal frames and learns from them what normal tiles look like.
package struct NormalLearner {
    /// In smaller frames every tile is a fault's neighbour, and surprising with it: 40 tiles are 256 x 160 pixels.
    private static let fewestTiles = 40

    private let background: Float
    private var samples: [TileTable] = []
    private var size = (height: 0, width: 0)

    /// `background` is the grey value of normal frames' background, from which all levels are counted.
    package init(background: Float) { self.background = background }

    /// Takes a normal frame with its score map.
    ///
    /// A frame of too few tiles, or of another size than the first, teaches nothing.
    package mutating func add(_ frame: Frame, map: ScoreMap) {
        if samples.isEmpty { size = (frame.height, frame.width) }
        guard (frame.height, frame.width) == size,
            let table = TileTable(frame: frame, map: map, background: background),
            table.count >= Self.fewestTiles
        else { return }
        samples.append(table)
    }

    /// What normal frames look like, but for the mask's threshold; `nil` if there were none.
    ///
    /// `classifier` is what known faults taught elsewhere, if anything.
    package func model(
        falseAlarmRate: Double,
        seed: UInt64,
        classifier: TileClassifier? = nil
    ) -> NormalModel? {
        guard !samples.isEmpty else { return nil }
        var options = NormalModel.LearningOptions()
        (options.falseAlarmRate, options.seed) = (falseAlarmRate, seed)
        options.classifier = classifier
        return NormalModel.learnt(from: samples, size: size, background: background, options: options)
    }
}
