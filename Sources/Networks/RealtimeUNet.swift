package import Tensors

/// The U-Net of the `realtime` profile: predicts the clean image x_0 from a partly noised one.
///
/// It works at a fraction of the resolution: a pixel unshuffle (Shi et al. 2016) before the stem makes channels of squares of
/// 4 x 4 (or 8 x 8) pixels, and a pixel shuffle after the head makes pixels of channels. Nothing is lost, and a convolution
/// costs a sixteenth (or less). In between two halvings, residual blocks with an additive time embedding, and additive
/// skips. No normalisation: at a fixed timestep all that runs is convolutions with fused sums and activations.
package final class RealtimeUNet: Network {
    /// How wide and deep the network is.
    package struct Architecture: Sendable, Equatable, Codable {
        /// Side of the square of pixels that becomes one position of the network: 4 or 8.
        package let unshuffle: Int
        /// Channels at the resolution after the unshuffle, at a half and at a quarter of it.
        package let channels: [Int]
        /// Residual blocks at each of the three, on the way down; as many again on the way up, but at the lowest.
        package let blocks: [Int]
        /// Length of the time embedding, even.
        package let embedding: Int

        /// The architecture that keeps up with a plate.
        package static let standard = Architecture(
            side: 4,
            channels: [24, 48, 64],
            blocks: [1, 1, 2],
            length: 128
        )

        /// Height and width of an image must be multiples of this.
        package var sizeMultiple: Int { 4 * unshuffle }

        /// How far away a pixel can be that has part in another's prediction.
        package var reach: Int {
            // In positions after the unshuffle: a 3 x 3 convolution reaches one position, two at half and four at a quarter of the
            // resolution. A block has two.
            let (first, second, third) = (blocks[0], blocks[1], blocks[2])
            let ways = 2 * 2 * first + 2 * 4 * second + 8 * third
            return unshuffle * (1 + 1 + 2 + ways + 1) + unshuffle - 1
        }

        private init(side: Int, channels: [Int], blocks: [Int], length: Int) {
            (unshuffle, self.channels, self.blocks, embedding) = (side, channels, blocks, length)
        }

        /// Describes a network; `nil` for lengths that make none.
        package init?(unshuffle: Int = 4, channels: [Int], blocks: [Int], embedding: Int) {
            guard unshuffle == 4 || unshuffle == 8, channels.count == 3, blocks.count == 3,
                channels.allSatisfy({ (1...1024).contains($0) }),
                blocks.allSatisfy({ (0...16).contains($0) }), embedding > 0, embedding % 2 == 0,
                embedding <= 4096
            else { return nil }
            self.init(side: unshuffle, channels: channels, blocks: blocks, length: embedding)
        }
    }

    /// How wide and deep this network is.
    package let architecture: Architecture
    let time: LinearLayer
    private let stem: ConvolutionLayer
    private let down: [[ResidualBlock]]
    private let halving: [ConvolutionLayer]
    private let doubling: [ConvolutionLayer]
    private let up: [[ResidualBlock]]
    private let head: ConvolutionLayer
    private let isFolded: Bool

    /// A network with random weights.
    package init(_ architecture: Architecture, using random: inout some RandomNumberGenerator) {
        self.architecture = architecture
        let (channels, embedding, depth) = (
            architecture.channels, architecture.embedding, architecture.unshuffle * architecture.unshuffle
        )
        func level(_ index: Int) -> [ResidualBlock] {
            (0..<architecture.blocks[index]).map { _ in
                ResidualBlock(channels: channels[index], embedding: embedding, using: &random)
            }
        }
        time = LinearLayer(inputs: embedding, outputs: embedding, using: &random)
        stem = ConvolutionLayer(inputs: depth, outputs: channels[0], kernel: 3, using: &random)
        down = (0..<3).map(level)
        halving = (0..<2).map {
            ConvolutionLayer(
                inputs: channels[$0],
                outputs: channels[$0 + 1],
                kernel: 3,
                stride: 2,
                using: &random
            )
        }
        doubling = (0..<2).map {
            ConvolutionLayer(
                inputs: channels[$0 + 1],
                outputs: channels[$0],
                kernel: 1,
                gain: 0.7,
                using: &random
            )
        }
        up = (0..<2).map(level)
        head = ConvolutionLayer(inputs: channels[0], outputs: depth, kernel: 3, gain: 0.5, using: &random)
        isFolded = false
    }

    /// The same weights with the embedding of one timestep folded into the convolutions' biases.
    private init(folding network: RealtimeUNet, time embedded: Variable) {
        architecture = network.architecture
        (time, stem, head) = (network.time, network.stem, network.head)
        (halving, doubling) = (network.halving, network.doubling)
        down = network.down.map { $0.map { $0.folded(time: embedded) } }
        up = network.up.map { $0.map { $0.folded(time: embedded) } }
        isFolded = true
    }

    /// Predicts the clean images, N x H x W x 1, from noised ones at one timestep each.
    ///
    /// H and W are multiples of the architecture's `sizeMultiple`.
    package func callAsFunction(_ x: Variable, timesteps: [Int]) -> Variable {
        precondition(
            x.shape.count == 4 && x.shape[0] == timesteps.count && x.shape[3] == 1,
            "images \(x.shape) at \(timesteps.count) timesteps"
        )
        let multiple = architecture.sizeMultiple
        precondition(
            x.shape[1] % multiple == 0 && x.shape[2] % multiple == 0,
            "height and width of \(x.shape) must be multiples of \(multiple)"
        )
        return run(x, with: FloatArithmetic(time: isFolded ? nil : embedded(timesteps)))
    }

    /// This network for one timestep only, with nothing left to compute for it.
    package func folded(timestep: Int) -> RealtimeUNet {
        Recording.off { RealtimeUNet(folding: self, time: embedded([timestep])) }
    }

    /// The network, written once for every way of computing it.
    func run<Arithmetic: UNetArithmetic>(
        _ image: Arithmetic.Picture,
        with arithmetic: Arithmetic
    ) -> Arithmetic.Picture {
        var x = arithmetic.stem(image, unshuffle: architecture.unshuffle, stem)
        var skips: [Arithmetic.Image] = []
        for level in 0..<3 {
            if level > 0 { x = arithmetic.convolved(x, halving[level - 1], activation: .silu) }
            for block in down[level] { x = arithmetic.residual(x, block) }
            if level < 2 { skips.append(x) }
        }
        for level in [1, 0] {
            let low = arithmetic.convolved(x, doubling[level], activation: .identity)
            x = arithmetic.joined(low, skips[level])
            for block in up[level] { x = arithmetic.residual(x, block) }
        }
        return arithmetic.head(x, shuffle: architecture.unshuffle, head)
    }

    /// Sinusoids of the timestep, cosines first, through a linear layer and SiLU.
    ///
    /// Vaswani et al. 2017, section 3.5.
    private func embedded(_ timesteps: [Int]) -> Variable {
        let features = Tensor.timestepFeatures(timesteps, length: architecture.embedding)
        return time(Variable(constant: features)).silu()
    }

    /// All weights, in a fixed order.
    package var parameters: [NamedParameter] {
        func levels(_ blocks: [[ResidualBlock]], _ name: String) -> [NamedParameter] {
            blocks.enumerated().flatMap { level, blocks in
                blocks.enumerated().flatMap { $1.parameters.prefixed("\(name).\(level).\($0)") }
            }
        }
        func layers(_ layers: [ConvolutionLayer], _ name: String) -> [NamedParameter] {
            layers.enumerated().flatMap { $1.parameters.prefixed("\(name).\($0)") }
        }
        return time.parameters.prefixed("time") + stem.parameters.prefixed("stem") + levels(down, "down")
            + layers(halving, "halving") + layers(doubling, "doubling") + levels(up, "up")
            + head.parameters.prefixed("exit")
    }
}

extension RealtimeUNet.Architecture {
    private enum Key: String, CodingKey {
        case unshuffle, channels, blocks, embedding
    }

    /// Reads an architecture; without `unshuffle` it is 4.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            side: try values.decodeIfPresent(Int.self, forKey: .unshuffle) ?? 4,
            channels: try values.decode([Int].self, forKey: .channels),
            blocks: try values.decode([Int].self, forKey: .blocks),
            length: try values.decode(Int.self, forKey: .embedding)
        )
    }

    /// Writes an architecture.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        if unshuffle != 4 { try values.encode(unshuffle, forKey: .unshuffle) }
        try values.encode(channels, forKey: .channels)
        try values.encode(blocks, forKey: .blocks)
        try values.encode(embedding, forKey: .embedding)
    }
}

/// A way of computing the realtime U-Net: in floats, in floats with an eye on their ranges, in bytes, or later, as a graph of ONNX.
protocol UNetArithmetic {
    /// What goes into the network and comes out of it.
    associatedtype Picture
    /// What flows between layers.
    associatedtype Image

    /// A pixel unshuffle, then the first layer.
    func stem(_ image: Picture, unshuffle: Int, _ layer: ConvolutionLayer) -> Image
    func convolved(_ x: Image, _ layer: ConvolutionLayer, activation: Activation) -> Image
    func residual(_ x: Image, _ block: ResidualBlock) -> Image
    /// The sum of an image of half the size, doubled, and a skip, which is not used afterwards.
    func joined(_ low: Image, _ skip: Image) -> Image
    /// The last layer, then a pixel shuffle.
    func head(_ x: Image, shuffle: Int, _ layer: ConvolutionLayer) -> Picture
}

/// The arithmetic of training, of float32 and of bfloat16.
struct FloatArithmetic: UNetArithmetic {
    /// The time embedding; `nil` where it is folded into the layers.
    let time: Variable?

    func stem(_ image: Variable, unshuffle: Int, _ layer: ConvolutionLayer) -> Variable {
        layer.unshuffling(image, unshuffle, activation: .silu)
    }

    func convolved(_ x: Variable, _ layer: ConvolutionLayer, activation: Activation) -> Variable {
        layer(x, activation: activation)
    }

    func residual(_ x: Variable, _ block: ResidualBlock) -> Variable { block(x, time: time) }

    func joined(_ low: Variable, _ skip: Variable) -> Variable {
        low.upsampled(adding: skip)
    }

    func head(_ x: Variable, shuffle: Int, _ layer: ConvolutionLayer) -> Variable {
        layer.shuffling(x, shuffle)
    }
}

/// The arithmetic of a folded network that notes the range of everything that bytes would hold, in order.
///
/// Nothing of normal frames saturates: finer steps at that price hide part of what a fault does inside the network.
final class RangingArithmetic: UNetArithmetic {
    private(set) var ranges: [ClosedRange<Float>] = []
    private let floats = FloatArithmetic(time: nil)

    private func noting(_ x: Variable) -> Variable {
        ranges.append(x.value.range)
        return x
    }

    func stem(_ image: Variable, unshuffle: Int, _ layer: ConvolutionLayer) -> Variable {
        noting(floats.stem(noting(image), unshuffle: unshuffle, layer))
    }

    func convolved(_ x: Variable, _ layer: ConvolutionLayer, activation: Activation) -> Variable {
        noting(floats.convolved(x, layer, activation: activation))
    }

    func residual(_ x: Variable, _ block: ResidualBlock) -> Variable {
        noting(block.second(noting(block.first(x, activation: .silu)), adding: x, activation: .silu))
    }

    func joined(_ low: Variable, _ skip: Variable) -> Variable { noting(floats.joined(low, skip)) }

    func head(_ x: Variable, shuffle: Int, _ layer: ConvolutionLayer) -> Variable {
        floats.head(x, shuffle: shuffle, layer)
    }
}
