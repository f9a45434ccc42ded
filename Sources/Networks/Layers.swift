import Foundation
package import Tensors

struct ConvolutionLayer {
    let weights: Variable
    let bias: Variable
    let geometry: ConvolutionGeometry
}

extension ConvolutionLayer {
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
        self.init(
            weights: Variable(parameter: .gaussian(shape: shape, deviation: deviation, using: &random)),
            bias: Variable(parameter: Tensor(repeating: 0, shape: [outputs])),
            geometry: ConvolutionGeometry(stride: stride, padding: kernel / 2)
        )
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

    /// The layer after a pixel unshuffle.
    func unshuffling(_ image: Variable, _ side: Int, activation: Activation) -> Variable {
        image.convolution(
            afterUnshuffle: side,
            weights: weights,
            bias: bias,
            geometry: geometry,
            activation: activation
        )
    }

    /// The layer, then a pixel shuffle of its channels.
    func shuffling(_ x: Variable, _ side: Int) -> Variable {
        x.convolution(beforeShuffle: side, weights: weights, bias: bias, geometry: geometry)
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
    let embedding: LinearLayer?

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
        var source = random
        var words = Words { source.next() }
        let values = (0..<shape.reduce(1, *)).map { _ in
            let radius = (-2 * log(Double.random(in: Double.leastNormalMagnitude..<1, using: &words)))
            return deviation
                * Float(radius.squareRoot() * cos(Double.random(in: 0..<2 * .pi, using: &words)))
        }
        random = source
        return Tensor(values, shape: shape)
    }

    /// The words of any generator in a type of its own: the compiler specialises drawing for it, which takes a fifth of the
    /// time for a network of 37 million weights.
    private struct Words: RandomNumberGenerator {
        let word: () -> UInt64

        mutating func next() -> UInt64 { word() }
    }
}

/// The published networks' names of parameters and their first values.
extension ConvolutionLayer {
    /// Weights as PyTorch draws them: variance 1 / (3 inputs), a sixth of He's.
    static func published(
        inputs: Int,
        outputs: Int,
        kernel: Int,
        stride: Int = 1,
        using random: inout some RandomNumberGenerator
    ) -> ConvolutionLayer {
        let gain = Float(1.0 / 6).squareRoot()
        return ConvolutionLayer(
            inputs: inputs,
            outputs: outputs,
            kernel: kernel,
            stride: stride,
            gain: gain,
            using: &random
        )
    }

    var published: [NamedParameter] {
        [
            NamedParameter(name: "weight", variable: weights, layout: .convolution),
            NamedParameter(name: "bias", variable: bias),
        ]
    }
}

extension LinearLayer {
    /// Weights as PyTorch draws them: variance 1 / (3 inputs).
    static func published(
        inputs: Int,
        outputs: Int,
        using random: inout some RandomNumberGenerator
    ) -> LinearLayer {
        LinearLayer(inputs: inputs, outputs: outputs, gain: Float(1.0 / 3).squareRoot(), using: &random)
    }

    var published: [NamedParameter] { published(weights: .same) }

    /// Of a layer that was published as a 1-D convolution of length 1.
    var publishedPointwise: [NamedParameter] { published(weights: .pointwise) }

    func published(weights layout: PublishedLayout, bias biasLayout: PublishedLayout = .same)
        -> [NamedParameter]
    {
        [
            NamedParameter(name: "weight", variable: weights, layout: layout),
            NamedParameter(name: "bias", variable: bias, layout: biasLayout),
        ]
    }
}

extension Tensor {
    /// Sinusoids of timesteps, N x length, cosines first.
    ///
    /// Vaswani et al. 2017, section 3.5.
    static func timestepFeatures(_ timesteps: [Int], length: Int) -> Tensor {
        let half = length / 2
        let frequencies = (0..<half).map { exp(-log(10_000) * Double($0) / Double(half)) }
        let features = timesteps.flatMap { t in
            frequencies.map { Float(cos(Double(t) * $0)) } + frequencies.map { Float(sin(Double(t) * $0)) }
        }
        return Tensor(features, shape: [timesteps.count, length])
    }
}

/// Group normalisation over 32 groups with learned weights and bias.
struct GroupNormLayer {
    /// As published, whatever the width.
    static let groups = 32

    private let weights: Variable
    private let bias: Variable

    init(channels: Int) {
        precondition(channels % Self.groups == 0, "\(channels) channels do not make \(Self.groups) groups")
        weights = Variable(parameter: Tensor(repeating: 1, shape: [channels]))
        bias = Variable(parameter: Tensor(repeating: 0, shape: [channels]))
    }

    /// Normalises N x H x W x C, with SiLU and with N x 2C scales and shifts on request.
    func callAsFunction(_ x: Variable, modulation: Variable? = nil, silu: Bool) -> Variable {
        x.groupNormalised(
            GroupNormalisation(groups: Self.groups, silu: silu),
            weights: weights,
            bias: bias,
            modulation: modulation
        )
    }

    var published: [NamedParameter] {
        [NamedParameter(name: "weight", variable: weights), NamedParameter(name: "bias", variable: bias)]
    }
}

/// The residual block of the published U-Net family: two times GroupNorm, SiLU and a 3 x 3 convolution, with a time
/// embedding between them, plus the input itself or a 1 x 1 convolution of it.
///
/// As published, a block that resamples and has no time embedding (in AE and VAE) ends after its first convolution: the
/// second one has weights in every file but no part in the result.
struct GroupNormBlock {
    /// What happens to the resolution, in both branches, before the first convolution.
    enum Resampling {
        case none
        /// Mean of 2 x 2 pixels.
        case halving
        /// Nearest neighbour.
        case doubling

        func callAsFunction(_ x: Variable) -> Variable {
            switch self {
            case .none: x
            case .halving: x.averagePooled()
            case .doubling: x.upsampled()
            }
        }
    }

    /// How a block takes part in a network with a time embedding of some length.
    struct Time {
        let length: Int
        let conditioning: UNetConfiguration.Conditioning
    }

    private let resampling: Resampling
    private let conditioning: UNetConfiguration.Conditioning?
    private let firstNorm: GroupNormLayer
    private let first: ConvolutionLayer
    private let embedding: LinearLayer?
    private let secondNorm: GroupNormLayer
    private let second: ConvolutionLayer
    private let skip: ConvolutionLayer?

    init(
        inputs: Int,
        outputs: Int,
        time: Time?,
        resampling: Resampling = .none,
        using random: inout some RandomNumberGenerator
    ) {
        self.resampling = resampling
        conditioning = time?.conditioning
        firstNorm = GroupNormLayer(channels: inputs)
        first = .published(inputs: inputs, outputs: outputs, kernel: 3, using: &random)
        embedding = time.map { time in
            let values = time.conditioning == .scaleShift ? 2 * outputs : outputs
            return .published(inputs: time.length, outputs: values, using: &random)
        }
        secondNorm = GroupNormLayer(channels: outputs)
        // A branch that starts at zero leaves the block at the identity; deep stacks train from the start.
        second = ConvolutionLayer(inputs: outputs, outputs: outputs, kernel: 3, gain: 0, using: &random)
        skip =
            inputs == outputs
            ? nil : .published(inputs: inputs, outputs: outputs, kernel: 1, using: &random)
    }

    /// N x H x W x C to the block's channels and resolution; `time` is the activated embedding, one row an image.
    func callAsFunction(_ x: Variable, time: Variable?) -> Variable {
        let hidden = first(resampling(firstNorm(x, silu: true)))
        let kept = resampling(x)
        guard embedding != nil || resampling == .none else {
            return (skip.map { $0(kept) } ?? kept) + hidden
        }
        let branch = conditioned(hidden, time: time)
        // The sum is part of a convolution's kernel.
        guard let skip else { return second(branch, adding: kept) }
        return skip(kept, adding: second(branch))
    }

    private func conditioned(_ x: Variable, time: Variable?) -> Variable {
        guard let embedding, let time else { return secondNorm(x, silu: true) }
        return switch conditioning {
        case .scaleShift: secondNorm(x, modulation: embedding(time), silu: true)
        case .added, nil: secondNorm(x.addingChannels(embedding(time)), silu: true)
        }
    }

    var published: [NamedParameter] {
        firstNorm.published.prefixed("in_layers.0") + first.published.prefixed("in_layers.2")
            + (embedding?.published.prefixed("emb_layers.1") ?? [])
            + secondNorm.published.prefixed("out_layers.0") + second.published.prefixed("out_layers.3")
            + (skip?.published.prefixed("skip_connection") ?? [])
    }
}

/// Linear layers with rectifiers between them: N x first width to N x last width.
package final class Perceptron: Network {
    private let layers: [LinearLayer]

    /// Draws weights for layers between these widths, two at least.
    package init(widths: [Int], using random: inout some RandomNumberGenerator) {
        precondition(widths.count > 1, "a perceptron has an input and an output")
        // He et al. 2015, as half of what a rectifier gets is lost.
        let gain = Float(2).squareRoot()
        layers = zip(widths, widths.dropFirst()).map {
            LinearLayer(inputs: $0, outputs: $1, gain: gain, using: &random)
        }
    }

    /// The last layer's output, without a rectifier.
    package func callAsFunction(_ x: Variable) -> Variable {
        layers[layers.count - 1](layers.dropLast().reduce(x) { $1($0).leakyReLU(slope: 0) })
    }

    /// Weights (outputs x inputs) and biases, layer by layer.
    package var parameters: [NamedParameter] {
        layers.enumerated().flatMap { $1.parameters.prefixed("layer\($0)") }
    }
}
