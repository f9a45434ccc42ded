package import Networks
package import Plate
import Randomness
import Tensors
package import Verdict

/// Fits a `TileClassifier` to faulty frames with masks and normal frames beside them.
///
/// Frames come in lists, each of one microscope and each with normal frames in it. Figures are taken in the spread of these, so that
/// a fault looks alike on all microscopes.
package struct TileClassifierFit {
    /// Tiles of one frame that are examples, inside and outside of the fault each.
    private static let tilesPerFrame = 300
    /// Share of a tile that a mask must cover to call it faulty; tiles that are covered less are no examples.
    private static let smallestCover: Float = 0.1
    private static let epochs = 10
    /// Few frames get more epochs: a perceptron after fewer steps is worse than none.
    private static let fewestSteps = 500
    private static let batch = 1024
    private static let learningRate: Float = 3e-3

    private let background: Float
    private var random: SplitMix64
    /// Tiles of the frames, rows and columns; that of the first one.
    private var size: (rows: Int, columns: Int)?
    private var list: [(figures: TileFigures, cover: [Float])] = []
    private var points: [Float] = []
    private var labels: [Float] = []

    /// `background` is the grey value of normal frames' background, from which all levels are counted.
    package init(background: Float, seed: UInt64 = 1) {
        self.background = background
        random = SplitMix64(state: seed)
    }

    /// Takes a frame of the list at hand with its score map; without a mask it is a normal one.
    ///
    /// A frame of another size than the first is left out.
    package mutating func add(_ frame: Frame, map: ScoreMap, mask: Mask?) {
        guard let figures = TileFigures(frame: frame, map: map, background: background) else { return }
        if size == nil { size = (figures.rows, figures.columns) }
        guard let size, size == (figures.rows, figures.columns) else { return }
        list.append((figures, mask.map { figures.cover(of: $0) } ?? []))
    }

    /// Ends a list: its faulty frames are compared with its normal ones; a list without normal frames is left out.
    package mutating func endList() {
        defer { list = [] }
        let normal = list.filter { $0.cover.isEmpty }.map(\.figures)
        guard !normal.isEmpty else { return }
        let moments = NormalTilesFit.moments(of: normal)
        for (figures, cover) in list {
            let values = moments.standardised(figures)
            let faulty = cover.indices.filter { cover[$0] >= Self.smallestCover }
            let other = cover.isEmpty ? Array(0..<figures.count) : cover.indices.filter { cover[$0] == 0 }
            for (tiles, label) in [(faulty, Float(1)), (other, 0)] {
                for tile in tiles.shuffled(using: &random).prefix(Self.tilesPerFrame) {
                    for channel in 0..<TileFigures.channels {
                        let value = values[channel * figures.count + tile]
                        points.append(min(max(value, -TileClassifier.reach), TileClassifier.reach))
                    }
                    labels.append(label)
                }
            }
        }
    }

    /// Fits to all lists; `nil` if there was no tile of either kind.
    package mutating func classifier(report: (_ done: Int, _ all: Int) -> Void) -> TileClassifier? {
        guard let size, labels.contains(1), labels.contains(0) else { return nil }
        let perceptron = Perceptron(
            widths: [TileFigures.channels] + TileClassifier.hidden + [1],
            using: &random
        )
        let parameters = perceptron.parameters.map(\.variable)
        var adam = Adam(shapes: parameters.map(\.shape))
        let steps = max(Self.epochs * labels.count / Self.batch, Self.fewestSteps)
        let rate = LearningRateSchedule(peak: Self.learningRate, warmup: 1, steps: steps)
        for step in 0..<steps {
            let (inputs, targets) = drawBatch()
            let odds = perceptron(Variable(constant: inputs))
            // The slope of the cross-entropy with a sigmoid is the error itself; its value is not needed.
            let error = Recording.off { odds.sigmoid() - Variable(constant: targets) }
            let loss = (Variable(constant: error.value) * odds).sum().affine(scale: 1 / Float(Self.batch))
            let found = gradients(of: loss, with: parameters).map(\.value)
            adam.update(parameters, gradients: found, learningRate: rate.rate(at: step))
            report(step + 1, steps)
        }
        return TileClassifier(perceptron, size: size)
    }

    private mutating func drawBatch() -> (inputs: Tensor, targets: Tensor) {
        var (inputs, targets): ([Float], [Float]) = ([], [])
        for _ in 0..<Self.batch {
            let index = Int.random(in: 0..<labels.count, using: &random)
            inputs += points[index * TileFigures.channels..<(index + 1) * TileFigures.channels]
            targets.append(labels[index])
        }
        return (
            Tensor(inputs, shape: [Self.batch, TileFigures.channels]),
            Tensor(targets, shape: [Self.batch, 1])
        )
    }
}

extension TileClassifier {
    /// Takes the weights of a perceptron that was fitted to the tiles of frames of a size in tiles.
    package init?(_ perceptron: Perceptron, size: (rows: Int, columns: Int)) {
        let values = perceptron.parameters.map(\.variable.value)
        let matrices = stride(from: 0, to: values.count, by: 2).map { values[$0] }
        self.init(
            size: size,
            widths: matrices.prefix(1).map { $0.shape[1] } + matrices.map { $0.shape[0] },
            weights: matrices.map(\.values),
            biases: stride(from: 1, to: values.count, by: 2).map { values[$0].values }
        )
    }
}
