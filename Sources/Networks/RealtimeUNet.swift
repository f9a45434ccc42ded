public import Tensors

/// The U-Net of the `realtime` profile: predicts the clean image x_0 from a partly noised one.
///
/// It works at a quarter of the resolution: 4 x 4 blocks of pixels become 16 channels at the entrance and pixels again
/// at the exit, so nothing is lost and a convolution costs a sixteenth. In between two halvings, residual blocks with an
/// additive time embedding, and additive skips. No normalisation: at a fixed timestep all that runs is convolutions with
/// fused sums and activations.
public final class RealtimeUNet: Network {
    /// How wide and deep the network is.
    public struct Architecture: Sendable, Equatable, Codable {
        /// Channels at 1/4, 1/8 and 1/16 of the resolution.
        public let channels: [Int]
        /// Residual blocks at each of the three, on the way down; as many again on the way up, but at the lowest.
        public let blocks: [Int]
        /// Length of the time embedding, even.
        public let embedding: Int

        /// The architecture that keeps up with a plate.
        public static let standard = Architecture(channels: [64, 96, 128], blocks: [1, 1, 2], length: 128)

        private init(channels: [Int], blocks: [Int], length: Int) {
            (self.channels, self.blocks, self.embedding) = (channels, blocks, length)
        }

        /// Describes a network; `nil` for lengths that make none.
        public init?(channels: [Int], blocks: [Int], embedding: Int) {
            guard channels.count == 3, blocks.count == 3, channels.allSatisfy({ (1...1024).contains($0) }),
                blocks.allSatisfy({ (0...16).contains($0) }), embedding > 0, embedding % 2 == 0,
                embedding <= 4096
            else { return nil }
            self.init(channels: channels, blocks: blocks, length: embedding)
        }
    }

    /// Pixels per side of the blocks that become channels.
    private static let block = 4
    /// Height and width of an image must be multiples of this.
    public static let sizeMultiple = 16

    /// How wide and deep this network is.
    public let architecture: Architecture
    private let time: LinearLayer
    private let stem: ConvolutionLayer
    private let down: [[ResidualBlock]]
    private let halving: [ConvolutionLayer]
    private let doubling: [ConvolutionLayer]
    private let up: [[ResidualBlock]]
    private let exit: ConvolutionLayer
    /// Set once the timestep is folded in.
    private let isFolded: Bool

    /// A network with random weights.
    public init(_ architecture: Architecture, using random: inout some RandomNumberGenerator) {
        self.architecture = architecture
        let (channels, embedding, depth) = (
            architecture.channels, architecture.embedding, Self.block * Self.block
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
        exit = ConvolutionLayer(inputs: channels[0], outputs: depth, kernel: 3, gain: 0.5, using: &random)
        isFolded = false
    }

    /// The same weights with the embedding of one timestep folded into the convolutions' biases.
    private init(folding network: RealtimeUNet, time embedded: Variable) {
        architecture = network.architecture
        (time, stem, exit) = (network.time, network.stem, network.exit)
        (halving, doubling) = (network.halving, network.doubling)
        down = network.down.map { $0.map { $0.folded(time: embedded) } }
        up = network.up.map { $0.map { $0.folded(time: embedded) } }
        isFolded = true
    }

    /// Predicts the clean images, N x H x W x 1, from noised ones at one timestep each.
    ///
    /// H and W are multiples of 16.
    public func callAsFunction(_ x: Variable, timesteps: [Int]) -> Variable {
        precondition(
            x.shape.count == 4 && x.shape[0] == timesteps.count && x.shape[3] == 1,
            "images \(x.shape) at \(timesteps.count) timesteps"
        )
        precondition(
            x.shape[1] % Self.sizeMultiple == 0 && x.shape[2] % Self.sizeMultiple == 0,
            "height and width of \(x.shape) must be multiples of \(Self.sizeMultiple)"
        )
        return run(x, time: isFolded ? nil : embedded(timesteps))
    }

    /// This network for one timestep only, with nothing left to compute for it.
    public func folded(timestep: Int) -> RealtimeUNet {
        Recording.off { RealtimeUNet(folding: self, time: embedded([timestep])) }
    }

    private func run(_ image: Variable, time: Variable?) -> Variable {
        var x = stem(image.spaceToDepth(Self.block), activation: .silu)
        var skips: [Variable] = []
        for level in 0..<3 {
            if level > 0 { x = halving[level - 1](x, activation: .silu) }
            for block in down[level] { x = block(x, time: time) }
            if level < 2 { skips.append(x) }
        }
        for level in [1, 0] {
            x = doubling[level](x).upsampled() + skips[level]
            for block in up[level] { x = block(x, time: time) }
        }
        return exit(x).depthToSpace(Self.block)
    }

    /// Sinusoids of the timestep, cosines first, through a linear layer and SiLU.
    ///
    /// Vaswani et al. 2017, section 3.5.
    private func embedded(_ timesteps: [Int]) -> Variable {
        let features = Tensor.timestepFeatures(timesteps, length: architecture.embedding)
        return time(Variable(constant: features)).silu()
    }

    /// All weights, in a fixed order.
    public var parameters: [NamedParameter] {
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
            + exit.parameters.prefixed("exit")
    }
}
