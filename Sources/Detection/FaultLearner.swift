import Networks
package import Plate
import Randomness
import Tensors

/// Collects faulty frames with masks beside normal ones and learns to tell the tiles of faults from all others.
///
/// Frames come in lists, each of one microscope, and each with normal frames in it: figures are taken against these, so that
/// a fault looks alike on all.
package struct FaultLearner {
    /// Tiles of one frame that teach, in the fault and outside of it each.
    private static let tilesPerFrame = 300
    /// Share of a tile that a mask must cover to call it faulty; tiles that are covered less say nothing.
    private static let smallestCover: Float = 0.1
    private static let epochs = 10
    /// Of few frames more epochs: a perceptron that has hardly begun is worse than none.
    private static let fewestSteps = 500
    private static let batch = 1024
    private static let learningRate: Float = 3e-3

    private let background: Float
    private var random: SplitMix64
    /// Tiles of the frames, rows and columns; that of the first one.
    private var size: (rows: Int, columns: Int)?
    private var list: [(table: TileTable, cover: [Float])] = []
    private var points: [Float] = []
    private var labels: [Float] = []

    /// `background` is the grey value of normal frames' background, from which all levels are counted.
    package init(background: Float, seed: UInt64 = 1) {
        self.background = background
        random = SplitMix64(state: seed)
    }

    /// Takes a frame of the list at hand with its score map; without a mask it is a normal one.
    ///
    /// A frame of another size than the first teaches nothing.
    package mutating func add(_ frame: Frame, map: ScoreMap, mask: Mask?) {
        guard let table = TileTable(frame: frame, map: map, background: background) else { return }
        if size == nil { size = (table.rows, table.columns) }
        guard let size, size == (table.rows, table.columns) else { return }
        list.append((table, mask.map { table.cover(of: $0) } ?? []))
    }

    /// Ends a list: its normal frames say what its faulty ones are held against; without normal ones it teaches nothing.
    package mutating func endList() {
        defer { list = [] }
        let normal = list.filter { $0.cover.isEmpty }.map(\.table)
        guard !normal.isEmpty else { return }
        let (centre, spread) = NormalModel.moments(of: normal)
        for (table, cover) in list {
            let values = NormalModel.standardised(
                table.values,
                count: table.count,
                centre: centre,
                spread: spread
            )
            let faulty = cover.indices.filter { cover[$0] >= Self.smallestCover }
            let other = cover.isEmpty ? Array(0..<table.count) : cover.indices.filter { cover[$0] == 0 }
            for (tiles, label) in [(faulty, Float(1)), (other, 0)] {
                for tile in tiles.shuffled(using: &random).prefix(Self.tilesPerFrame) {
                    for channel in 0..<TileTable.channels {
                        let value = values[channel * table.count + tile]
                        points.append(min(max(value, -TileClassifier.reach), TileClassifier.reach))
                    }
                    labels.append(label)
                }
            }
        }
    }

    /// Learns from all lists; `nil` if there was no tile of either kind.
    package mutating func classifier(report: (_ done: Int, _ all: Int) -> Void) -> TileClassifier? {
        guard let size, labels.contains(1), labels.contains(0) else { return nil }
        let perceptron = Perceptron(
            widths: [TileTable.channels] + TileClassifier.hidden + [1],
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
        return TileClassifier(perceptron, rows: size.rows, columns: size.columns)
    }

    private mutating func drawBatch() -> (inputs: Tensor, targets: Tensor) {
        var (inputs, targets): ([Float], [Float]) = ([], [])
        for _ in 0..<Self.batch {
            let index = Int.random(in: 0..<labels.count, using: &random)
            inputs += points[index * TileTable.channels..<(index + 1) * TileTable.channels]
            targets.append(labels[index])
        }
        return (
            Tensor(inputs, shape: [Self.batch, TileTable.channels]), Tensor(targets, shape: [Self.batch, 1])
        )
    }
}

extension TileTable {
    /// The share of each tile that a mask of the frame covers.
    func cover(of mask: Mask) -> [Float] {
        (0..<count).map { tile in
            let (top, left) = (tile / columns * Self.side, tile % columns * Self.side)
            let covered = (top..<top + Self.side).reduce(0) { sum, row in
                let start = row * mask.width + left
                return sum + mask.values[start..<start + Self.side].count { $0 != 0 }
            }
            return Float(covered) / Float(Self.side * Self.side)
        }
    }
}
