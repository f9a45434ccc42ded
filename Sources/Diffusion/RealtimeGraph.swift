import Mathematics
package import Networks
package import ONNX
import Randomness

extension RealtimeSettings {
    /// The whole way of a frame as a graph: grey values to reconstruction and score map, in float32.
    ///
    /// | name | type | what |
    /// |---|---|---|
    /// | `frame` | float32, N x 1 x H x W | grey values as the file has them |
    /// | `noise` | the same | noise of mean 0; only where the graph cannot draw it (`NoiseKind.isInGraph`) |
    /// | `reconstruction` | the same | what the model makes of the frame, in its grey values |
    /// | `map` | the same | the score map: what `RealtimeReconstructor`, `Residual` and the median filter give |
    ///
    /// Any number of frames of any one size. `network` is not folded.
    package func graph(network: RealtimeUNet, residual: Residual) -> ONNXGraph {
        let graph = ONNXGraph(name: "autoqc")
        let shape: [ONNXGraph.Length] = [.named("frames"), .fixed(1), .named("height"), .named("width")]
        let frame = graph.input(
            "frame",
            shape,
            documentation: "Grey values as the file of the frame has them."
        )
        let size = GraphSize(of: frame, multiple: architecture.sizeMultiple)
        let image = normalisation.graph(normalising: frame)
        let padded = size.padded(image)
        let noise: ONNXValue
        if diffusion.noise.isInGraph {
            noise = diffusion.simplex.graph(rows: size.rows, columns: size.columns)
        } else {
            let drawn = graph.input(
                "noise",
                shape,
                documentation: "A field of \(diffusion.noise.rawValue) noise; the same for all frames."
            )
            noise = size.padded(drawn)
        }
        let predicted = size.cropped(
            diffusion.graph(of: padded, noise: noise, size) { noised in
                network.graph(of: noised, timestep: diffusion.timestep)
            }
        )
        graph.output(
            normalisation.graph(restoring: predicted),
            "reconstruction",
            shape,
            documentation: "The frame as it would be if it were normal, in its grey values."
        )
        // From [-1, 1] to [0, 1].
        let map = residual.graph(input: (image + 1) * 0.5, reconstruction: (predicted + 1) * 0.5)
        graph.output(
            size.medianFiltered(map),
            "map",
            shape,
            documentation: "How unlike its reconstruction each pixel is: the score map."
        )
        return graph
    }
}

extension NoiseKind {
    /// Whether a graph can compute the noise of each pixel; the other kinds are drawn one value after another.
    package var isInGraph: Bool { self == .simplex }
}

/// The size of a frame in a graph, and that to which it is padded for the network.
struct GraphSize {
    /// The frame's, scalars.
    let height, width: ONNXValue
    /// The next multiples of what the network takes.
    let rows, columns: ONNXValue

    init(of frame: ONNXValue, multiple: Int) {
        let shape = frame.graph.node("Shape", [frame], type: .int64)
        height = shape.gather(frame.graph.constant([2]))
        width = shape.gather(frame.graph.constant([3]))
        let step = Double(multiple)
        rows = (height + (step - 1)) / step * step
        columns = (width + (step - 1)) / step * step
    }

    /// The last row and column repeated.
    func padded(_ image: ONNXValue) -> ONNXValue {
        let graph = image.graph
        let pads = [
            graph.constant([0, 0, 0, 0, 0, 0], shape: [6]), (rows - height).reshaped([1]),
            (columns - width).reshaped([1]),
        ]
        return graph.node("Pad", [image, .joined(pads)], ["mode": .text("edge")])
    }

    /// Without the rows and columns that were added.
    func cropped(_ image: ONNXValue) -> ONNXValue {
        let graph = image.graph
        let ends = ONNXValue.joined([height.reshaped([1]), width.reshaped([1])])
        let (zeros, axes) = (graph.constant([0, 0], shape: [2]), graph.constant([2, 3], shape: [2]))
        return graph.node("Slice", [image, zeros, ends, axes])
    }

    /// The 5 x 5 median; beyond the border the map is mirrored (`ScoreMap.medianFiltered`).
    func medianFiltered(_ map: ONNXValue) -> ONNXValue {
        let graph = map.graph
        func mirrored(_ length: ONNXValue) -> ONNXValue {
            let place = ONNXValue.range(from: graph.constant([-2]), to: length + 2)
            let folded = graph.node("Mod", [place, length * 2])
            return graph.node("Min", [folded, length * 2 - 1 - folded])
        }
        let framed = map.gather(mirrored(height), axis: 2).gather(mirrored(width), axis: 3)
        // Each pixel's neighbours as channels; the least of the 13 greatest of 25 is in their middle.
        let count = 25
        let picks = (0..<count * count).map { $0 / count == $0 % count ? 1.0 : 0 }
        let neighbours = framed.convolved(graph.constant(picks, shape: [count, 1, 5, 5]), padding: (0, 0))
        let greatest = graph.node(
            "TopK",
            [neighbours, graph.constant([count / 2 + 1], shape: [1])],
            ["axis": .integer(1), "sorted": .integer(0)],
            outputs: 2
        )
        return graph.node("ReduceMin", [greatest], ["axes": .integers([1]), "keepdims": .integer(1)])
    }
}

extension Normalisation {
    /// Grey values as the network sees them (`normalised`).
    fileprivate func graph(normalising frame: ONNXValue) -> ONNXValue {
        guard let stepScale else { return (frame - Double(background)) / Double(reach) }
        let steps = frame.graph.node("Round", [frame * Double(GreySteps.factor(background))])
        return (steps - Double(Self.backgroundSteps)) * Double(stepScale)
    }

    /// The grey values of a normalised image.
    fileprivate func graph(restoring image: ONNXValue) -> ONNXValue {
        guard let stepScale else { return image * Double(reach) + Double(background) }
        let steps = image / Double(stepScale) + Double(Self.backgroundSteps)
        return steps / Double(GreySteps.factor(background))
    }
}

extension PatchedDiffusion {
    /// The field of simplex noise at test.
    fileprivate var simplex: SimplexNoise {
        var generator = SplitMix64(state: noiseSeed)
        return SimplexNoise(using: &generator)
    }

    /// What a network makes of the noised patches of images, N x 1 x R x C: each phase is noised in images of its own, and its patches
    /// are kept.
    fileprivate func graph(
        of image: ONNXValue,
        noise: ONNXValue,
        _ size: GraphSize,
        network: (ONNXValue) -> ONNXValue
    ) -> ONNXValue {
        let graph = image.graph
        let numbers = graph.constant(Array(0..<phases.count), shape: [phases.count, 1, 1, 1, 1])
        let isNoised = graph.node("Equal", [phases.graph(size), numbers], type: .bool)
        let schedule = DiffusionSchedule(count: steps)
        let noised =
            image * Double(schedule.signalScale[timestep]) + noise * Double(schedule.noiseScale[timestep])
        let sides = ONNXValue.joined([size.rows.reshaped([1]), size.columns.reshaped([1])])
        func shape(_ lengths: [Int]) -> ONNXValue {
            .joined([graph.constant(lengths, shape: [lengths.count]), sides])
        }
        let predicted = network(isNoised.choose(noised, image).reshaped(to: shape([-1, 1])))
            .reshaped(to: shape([phases.count, -1, 1]))
        return isNoised.choose(predicted, graph.constant([0.0])).summedOverFirstAxis()
    }
}

extension PatchPhases {
    /// The phase in which each pixel is noised, R x C.
    fileprivate func graph(_ size: GraphSize) -> ONNXValue {
        func parity(_ length: ONNXValue) -> ONNXValue {
            .range(from: length.graph.constant([0]), to: length) / Double(patch) % 2
        }
        let (i, j) = (parity(size.rows).reshaped([-1, 1]), parity(size.columns))
        return count == 2 ? (i + j) % 2 : i * 2 + j
    }
}
