import Foundation
import Tensors

/// A 2-D convolution with bias.
struct ConvolutionLayer {
    let weights: Variable
    let bias: Variable
    let geometry: ConvolutionGeometry

    /// Draws weights by He initialisation, scaled by `gain`.
    ///
    /// He et al. 2015. Padded so that stride 1 keeps the size.
    init(
        inputs: Int,
        outputs: Int,
        kernel: Int,
        stride: Int = 1,
        gain: Float = 1,
        using random: inout some RandomNumberGenerator
    ) {
        let deviation = gain * (2 / Float(inputs * kernel * kernel)).squareRoot()
        let shape = [outputs, kernel, kernel, inputs]
        self.weights = Variable(parameter: .gaussian(shape: shape, deviation: deviation, using: &random))
        self.bias = Variable(parameter: Tensor(repeating: 0, shape: [outputs]))
        self.geometry = ConvolutionGeometry(stride: stride, padding: kernel / 2)
    }

    private init(weights: Variable, bias: Variable, geometry: ConvolutionGeometry) {
        self.weights = weights
        self.bias = bias
        self.geometry = geometry
    }

    func callAsFunction(
        _ x: Variable,
        adding addend: Variable? = nil,
        activation: Activation = .identity
    ) -> Variable {
        x.convolution(
            weights: weights,
            bias: bias,
            geometry: geometry,
            adding: addend,
            activation: activation
        )
    }

    /// The layer over cells of `side` x `side` pixels as channels.
    func ofCells(_ side: Int, of image: Variable, activation: Activation) -> Variable {
        image.convolutionOfCells(
            side,
            weights: weights,
            bias: bias,
            geometry: geometry,
            activation: activation
        )
    }

    /// The layer, its channels as cells of `side` x `side` pixels.
    func intoCells(_ side: Int, _ x: Variable) -> Variable {
        x.convolutionIntoCells(side, weights: weights, bias: bias, geometry: geometry)
    }

    /// The same layer with a constant added to every output pixel.
    func addingToBias(_ constant: Variable) -> ConvolutionLayer {
        ConvolutionLayer(
            weights: weights,
            bias: bias + constant.reshaped(bias.shape),
            geometry: geometry
        )
    }

    var parameters: [NamedParameter] {
        [NamedParameter(name: "weights", variable: weights), NamedParameter(name: "bias", variable: bias)]
    }
}

/// A linear layer with bias: N x I to N x O.
struct LinearLayer {
    let weights: Variable
    let bias: Variable

    init(inputs: Int, outputs: Int, gain: Float = 1, using random: inout some RandomNumberGenerator) {
        let deviation = gain * (1 / Float(inputs)).squareRoot()
        self.weights = Variable(
            parameter: .gaussian(shape: [outputs, inputs], deviation: deviation, using: &random)
        )
        self.bias = Variable(parameter: Tensor(repeating: 0, shape: [outputs]))
    }

    func callAsFunction(_ x: Variable) -> Variable {
        x.linear(weights: weights, bias: bias)
    }

    var parameters: [NamedParameter] {
        [NamedParameter(name: "weights", variable: weights), NamedParameter(name: "bias", variable: bias)]
    }
}

/// Two 3 x 3 convolutions around a time embedding, with activations after them so that every sum and every activation
/// fuses into a convolution.
struct ResidualBlock {
    let first: ConvolutionLayer
    let second: ConvolutionLayer
    /// Absent once the timestep is folded into the first convolution's bias.
    private let embedding: LinearLayer?

    init(channels: Int, embedding: Int, using random: inout some RandomNumberGenerator) {
        first = ConvolutionLayer(inputs: channels, outputs: channels, kernel: 3, using: &random)
        // A small branch leaves the block near the identity at first; deep stacks train from the start.
        second = ConvolutionLayer(inputs: channels, outputs: channels, kernel: 3, gain: 0.2, using: &random)
        self.embedding = LinearLayer(inputs: embedding, outputs: channels, gain: 0.5, using: &random)
    }

    private init(first: ConvolutionLayer, second: ConvolutionLayer) {
        (self.first, self.second, self.embedding) = (first, second, nil)
    }

    /// `silu(x + second(silu(first(x) + embedding(time))))`.
    func callAsFunction(_ x: Variable, time: Variable?) -> Variable {
        guard let embedding, let time else {
            return second(first(x, activation: .silu), adding: x, activation: .silu)
        }
        return second(first(x).addingChannels(embedding(time)).silu(), adding: x, activation: .silu)
    }

    func folded(time: Variable) -> ResidualBlock {
        guard let embedding else { return self }
        return ResidualBlock(first: first.addingToBias(embedding(time)), second: second)
    }

    var parameters: [NamedParameter] {
        first.parameters.prefixed("first") + second.parameters.prefixed("second")
            + (embedding?.parameters.prefixed("embedding") ?? [])
    }
}

extension Tensor {
    /// Normally distributed values (Box and Muller 1958).
    static func gaussian(
        shape: [Int],
        deviation: Float,
        using random: inout some RandomNumberGenerator
    ) -> Tensor {
        guard deviation != 0, !(random is ZeroGenerator) else { return Tensor(repeating: 0, shape: shape) }
        let values = (0..<shape.reduce(1, *)).map { _ in
            let radius = (-2 * log(Double.random(in: Double.leastNormalMagnitude..<1, using: &random)))
            return deviation
                * Float(radius.squareRoot() * cos(Double.random(in: 0..<2 * .pi, using: &random)))
        }
        return Tensor(values, shape: shape)
    }
}
