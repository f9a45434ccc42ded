package import ONNX
import Tensors

extension RealtimeUNet {
    /// Adds the network at one timestep to a graph: noised images, N x 1 x H x W, to clean ones.
    ///
    /// H and W are multiples of the architecture's `sizeMultiple`. The weights keep their names.
    package func graph(of noised: ONNXValue, timestep: Int) -> ONNXValue {
        let layers = GraphLayers(parameters, in: noised.graph)
        let features = Tensor.timestepFeatures([timestep], length: architecture.embedding)
        let input = noised.graph.constant(features.values.map { Double($0) }, shape: features.shape)
        return run(noised, with: GraphArithmetic(layers: layers, time: layers.linear(input, time).silu()))
    }
}

/// The arithmetic that computes nothing: each step adds nodes to a graph of ONNX, where channels come before rows and columns.
private struct GraphArithmetic: UNetArithmetic {
    let layers: GraphLayers
    /// The time embedding; of constants only, so that a runtime computes it once.
    let time: ONNXValue

    func stem(_ image: ONNXValue, unshuffle: Int, _ layer: ConvolutionLayer) -> ONNXValue {
        let packed = image.graph.node("SpaceToDepth", [image], ["blocksize": .integer(unshuffle)])
        return layers.convolution(packed, layer).silu()
    }

    func convolved(_ x: ONNXValue, _ layer: ConvolutionLayer, activation: Activation) -> ONNXValue {
        let result = layers.convolution(x, layer)
        return activation == .silu ? result.silu() : result
    }

    func residual(_ x: ONNXValue, _ block: ResidualBlock) -> ONNXValue {
        var hidden = layers.convolution(x, block.first)
        if let embedding = block.embedding {
            hidden = hidden + layers.linear(time, embedding).reshaped([1, block.first.bias.shape[0], 1, 1])
        }
        return (x + layers.convolution(hidden.silu(), block.second)).silu()
    }

    func joined(_ low: ONNXValue, _ skip: ONNXValue) -> ONNXValue {
        let doubled = low.graph.node(
            "Resize",
            [low, nil, low.graph.constant([1.0, 1, 2, 2], shape: [4])],
            [
                "mode": .text("nearest"), "coordinate_transformation_mode": .text("asymmetric"),
                "nearest_mode": .text("floor"),
            ]
        )
        return doubled + skip
    }

    func head(_ x: ONNXValue, shuffle: Int, _ layer: ConvolutionLayer) -> ONNXValue {
        x.graph.node("DepthToSpace", [layers.convolution(x, layer)], ["blocksize": .integer(shuffle)])
    }
}

/// Layers as nodes of a graph, whose weights have the names of the network's parameters.
private struct GraphLayers {
    private let graph: ONNXGraph
    private let names: [ObjectIdentifier: String]

    init(_ parameters: [NamedParameter], in graph: ONNXGraph) {
        self.graph = graph
        let pairs = parameters.map { (ObjectIdentifier($0.variable), $0.name) }
        names = Dictionary(uniqueKeysWithValues: pairs)
    }

    func convolution(_ x: ONNXValue, _ layer: ConvolutionLayer) -> ONNXValue {
        let padding = layer.geometry.padding
        return x.convolved(
            weights(layer.weights),
            bias: weights(layer.bias),
            stride: layer.geometry.stride,
            padding: (padding, padding)
        )
    }

    func linear(_ x: ONNXValue, _ layer: LinearLayer) -> ONNXValue {
        graph.node("Gemm", [x, weights(layer.weights), weights(layer.bias)], ["transB": .integer(1)])
    }

    private func weights(_ variable: Variable) -> ONNXValue {
        guard let name = names[ObjectIdentifier(variable)] else {
            preconditionFailure("weights of another network")
        }
        return graph.weights(name, variable.value)
    }
}
