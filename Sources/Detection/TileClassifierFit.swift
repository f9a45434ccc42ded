package import Networks
import Randomness
import Tensors
package import Verdict

/// Fits a `TileClassifier` to the tiles of faulty frames with masks and of normal frames beside them.
///
/// Figures are taken in the spread of the normal tiles of the same microscope, so that a fault looks alike on all microscopes.
package struct TileClassifierFit {
    /// A measured frame; without a cover it is a normal one.
    package struct Example: Sendable {
        let figures: TileFigures
        let cover: [Float]

        /// `cover` is the share of each tile that the fault covers, empty for a normal frame.
        package init(_ figures: TileFigures, cover: [Float] = []) {
            (self.figures, self.cover) = (figures, cover)
        }
    }

    /// Tiles of one frame that are examples, inside and outside of the fault each.
    private static let tilesPerFrame = 300
    /// Share of a tile that a mask must cover to call it faulty; tiles that are covered less are no examples.
    private static let smallestCover: Float = 0.1
    private static let epochs = 12
    /// Few frames get more epochs: a perceptron after fewer steps is worse than none.
    private static let fewestSteps = 500
    private static let batch = 512
    private static let learningRate: Float = 3e-3

    private var random: SplitMix64
    private var points: [Float] = []
    private var labels: [Float] = []

    /// The same examples and seed give the same classifier.
    package init(seed: UInt64 = 1) { random = SplitMix64(state: seed) }

    /// Takes frames of one microscope; its normal ones give the spread.
    ///
    /// Without normal ones, all are left out.
    package mutating func add(_ list: [Example]) {
        let normal = list.filter(\.cover.isEmpty).map(\.figures)
        guard !normal.isEmpty else { return }
        let moments = TileMoments(of: normal)
        for example in list { add(example, by: moments) }
    }

    private mutating func add(_ example: Example, by moments: TileMoments) {
        let (figures, cover) = (example.figures, example.cover)
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

    /// Fits to all examples; `nil` if there was no tile of either kind.
    ///
    /// It goes on from another classifier, if one is given: what that knows of faults is kept as far as the examples allow.
    package mutating func classifier(
        from other: TileClassifier? = nil,
        report: (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) -> TileClassifier? {
        guard labels.contains(1), labels.contains(0) else { return nil }
        let perceptron = Perceptron(
            widths: [TileFigures.channels] + TileClassifier.hidden + [1],
            using: &random
        )
        if let other { perceptron.take(other) }
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
        return TileClassifier(perceptron)
    }

    private mutating func drawBatch() -> (inputs: Tensor, targets: Tensor) {
        var (inputs, targets): ([Float], [Float]) = ([], [])
        inputs.reserveCapacity(Self.batch * TileFigures.channels)
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
    /// Takes the weights of a perceptron that was fitted to tiles.
    package init?(_ perceptron: Perceptron) {
        let values = perceptron.parameters.map(\.variable.value)
        let matrices = stride(from: 0, to: values.count, by: 2).map { values[$0] }
        self.init(
            widths: matrices.prefix(1).map { $0.shape[1] } + matrices.map { $0.shape[0] },
            weights: matrices.map(\.values),
            biases: stride(from: 1, to: values.count, by: 2).map { values[$0].values }
        )
    }
}

extension Perceptron {
    /// Begins with a classifier's weights; one of other widths changes nothing.
    fileprivate func take(_ classifier: TileClassifier) {
        let values = zip(classifier.weights, classifier.biases).flatMap { [$0, $1] }
        guard classifier.widths == [TileFigures.channels] + TileClassifier.hidden + [1] else { return }
        for (parameter, values) in zip(parameters, values) {
            parameter.variable.value = Tensor(values, shape: parameter.variable.shape)
        }
    }
}
