package import Tensors

/// The U-Net of the published pDDPM and DDPM: predicts the clean image x_0 from a noised one.
///
/// Dhariwal and Nichol 2021, section 3, at the sizes of a `UNetConfiguration`. Parameters have the published names.
package final class UNet: Network {
    /// How wide and deep this network is.
    package let configuration: UNetConfiguration
    private let firstTimeLayer: LinearLayer
    private let secondTimeLayer: LinearLayer
    private let encoder: EncoderHalf
    private let middle: MiddleBlocks
    private let decoder: DecoderHalf

    /// A network with random weights.
    ///
    /// Channels that do not make 32 groups or whole heads are a programmer's mistake.
    package init(_ configuration: UNetConfiguration, using random: inout some RandomNumberGenerator) {
        self.configuration = configuration
        let time = GroupNormBlock.Time(
            length: 4 * configuration.channels,
            conditioning: configuration.conditioning
        )
        let shape = FamilyShape(configuration, time: time)
        let (channels, length) = (configuration.channels, 4 * configuration.channels)
        firstTimeLayer = .published(inputs: channels, outputs: length, using: &random)
        secondTimeLayer = .published(inputs: length, outputs: length, using: &random)
        encoder = EncoderHalf(shape, using: &random)
        let width = encoder.widths[encoder.widths.count - 1]
        middle = MiddleBlocks(shape, width: width, using: &random)
        decoder = DecoderHalf(shape, width: width, skips: encoder.widths, using: &random)
    }

    /// Predicts the clean images, N x H x W x 1 in [-1, 1], from noised ones at one timestep each.
    ///
    /// H and W are multiples of the configuration's `sizeMultiple`.
    package func callAsFunction(_ x: Variable, timesteps: [Int]) -> Variable {
        precondition(
            x.shape.count == 4 && x.shape[0] == timesteps.count && x.shape[3] == 1,
            "images \(x.shape) at \(timesteps.count) timesteps"
        )
        let features = Variable(
            constant: .timestepFeatures(timesteps, length: configuration.channels)
        )
        // Every block applies SiLU to the embedding first; it is done once.
        let time = secondTimeLayer(firstTimeLayer(features).silu()).silu()
        let skips = encoder(x, time: time)
        return decoder(middle(skips[skips.count - 1], time: time), skips: skips, time: time)
    }

    /// All weights under their published names, in a fixed order.
    package var parameters: [NamedParameter] {
        firstTimeLayer.published.prefixed("time_embed.0") + secondTimeLayer.published.prefixed("time_embed.2")
            + encoder.published + middle.published + decoder.published
    }
}

/// How wide and deep a network of the published U-Net family is.
package struct UNetConfiguration: FamilySize, Sendable, Equatable, Codable {
    /// How the timestep enters a residual block.
    package enum Conditioning: String, Sendable, Equatable, Codable {
        /// As scale and shift after the second normalisation: the published pDDPM.
        case scaleShift = "scale-shift"
        /// Added before the second normalisation: the published DDPM.
        case added
    }

    /// Channels at full resolution, a multiple of the 32 groups of the normalisation.
    package var channels = 128
    /// Multiple of `channels` at each level; every level halves the resolution of the one before it.
    package var multipliers = [1, 2, 2]
    /// Residual blocks a level on the way down; one more on the way up.
    package var residualBlocks = 3
    /// Channels of one attention head.
    package var headChannels = 64
    /// Levels with self-attention after each block; the middle has one in any case.
    package var attentionLevels: [Int] = []
    /// How the timestep enters.
    package var conditioning = Conditioning.scaleShift

    /// The published pDDPM network.
    package init() {}
}

/// What the configurations of the published family share.
package protocol FamilySize {
    /// Channels at full resolution, a multiple of the 32 groups of the normalisation.
    var channels: Int { get set }
    /// Multiple of `channels` at each level; every level halves the resolution of the one before it.
    var multipliers: [Int] { get set }
    /// Residual blocks a level on the way down; one more on the way up.
    var residualBlocks: Int { get set }
    /// Channels of one attention head.
    var headChannels: Int { get set }
    /// Levels with self-attention after each block, 0 being full resolution; the middle has one in any case.
    var attentionLevels: [Int] { get set }
}

extension FamilySize {
    /// The levels that have self-attention in the published system: those whose image has a side of 32, 16 or 8 pixels.
    ///
    /// Windows of 32, 64 and 128 have such levels, windows of 96 and 192 have none.
    package func publishedAttentionLevels(window: Int) -> [Int] {
        multipliers.indices.filter { level in [32, 16, 8].contains { $0 << level == window } }
    }

    /// Height and width of an image must be multiples of this.
    package var sizeMultiple: Int { 1 << (multipliers.count - 1) }
}

/// What the U-Nets and autoencoders of the published family share: the sizes of their halves.
struct FamilyShape {
    let channels: Int
    let multipliers: [Int]
    let residualBlocks: Int
    let headChannels: Int
    let attentionLevels: [Int]
    /// Absent where no timestep enters.
    let time: GroupNormBlock.Time?

    var levels: [Int] { multipliers.map { $0 * channels } }

    init(_ size: some FamilySize, time: GroupNormBlock.Time? = nil) {
        (channels, multipliers) = (size.channels, size.multipliers)
        (residualBlocks, headChannels, self.time) = (size.residualBlocks, size.headChannels, time)
        attentionLevels = size.attentionLevels
    }

    /// The self-attention after a block of a level; `nil` where there is none.
    func attention(
        level: Int,
        channels: Int,
        using random: inout some RandomNumberGenerator
    ) -> AttentionBlock? {
        guard attentionLevels.contains(level) else { return nil }
        return AttentionBlock(channels: channels, headChannels: headChannels, using: &random)
    }
}

/// The way down: a stem, residual blocks at each level, halvings between levels.
struct EncoderHalf {
    private struct Stage {
        let block: GroupNormBlock
        let attention: AttentionBlock?
    }

    private let stem: ConvolutionLayer
    private let stages: [Stage]
    /// Channels after the stem and after each block.
    let widths: [Int]

    init(_ shape: FamilyShape, using random: inout some RandomNumberGenerator) {
        stem = .published(inputs: 1, outputs: shape.channels, kernel: 3, using: &random)
        var (stages, widths) = ([Stage](), [shape.channels])
        for (level, outputs) in shape.levels.enumerated() {
            for _ in 0..<shape.residualBlocks {
                let inputs = widths[widths.count - 1]
                let block = GroupNormBlock(inputs: inputs, outputs: outputs, time: shape.time, using: &random)
                let attention = shape.attention(level: level, channels: outputs, using: &random)
                stages.append(Stage(block: block, attention: attention))
                widths.append(outputs)
            }
            guard level < shape.levels.count - 1 else { continue }
            let last = widths[widths.count - 1]
            let halving = GroupNormBlock(
                inputs: last,
                outputs: last,
                time: shape.time,
                resampling: .halving,
                using: &random
            )
            stages.append(Stage(block: halving, attention: nil))
            widths.append(last)
        }
        (self.stages, self.widths) = (stages, widths)
    }

    /// What comes out of the stem and of each block, the last being the lowest level.
    func callAsFunction(_ x: Variable, time: Variable?) -> [Variable] {
        var outputs = [stem(x)]
        for stage in stages {
            let x = stage.block(outputs[outputs.count - 1], time: time)
            outputs.append(stage.attention.map { $0(x) } ?? x)
        }
        return outputs
    }

    var published: [NamedParameter] {
        stem.published.prefixed("input_blocks.0.0")
            + stages.enumerated().flatMap { index, stage in
                stage.block.published.prefixed("input_blocks.\(index + 1).0")
                    + (stage.attention?.published.prefixed("input_blocks.\(index + 1).1") ?? [])
            }
    }
}

/// The bottom: residual block, self-attention, residual block.
struct MiddleBlocks {
    private let first: GroupNormBlock
    private let attention: AttentionBlock
    private let second: GroupNormBlock

    init(_ shape: FamilyShape, width: Int, using random: inout some RandomNumberGenerator) {
        first = GroupNormBlock(inputs: width, outputs: width, time: shape.time, using: &random)
        attention = AttentionBlock(channels: width, headChannels: shape.headChannels, using: &random)
        second = GroupNormBlock(inputs: width, outputs: width, time: shape.time, using: &random)
    }

    func callAsFunction(_ x: Variable, time: Variable?) -> Variable {
        second(attention(first(x, time: time)), time: time)
    }

    var published: [NamedParameter] {
        first.published.prefixed("middle_block.0") + attention.published.prefixed("middle_block.1")
            + second.published.prefixed("middle_block.2")
    }
}

/// The way up: residual blocks at each level, one more than on the way down, and doublings between levels; with what the
/// way down left at each level concatenated, or without.
struct DecoderHalf {
    private struct Stage {
        let block: GroupNormBlock
        let attention: AttentionBlock?
        let doubling: GroupNormBlock?
    }

    private let stages: [Stage]
    private let norm: GroupNormLayer
    private let head: ConvolutionLayer

    /// `skips` are the widths of what will be concatenated, in the order of the way down; empty for none.
    init(_ shape: FamilyShape, width: Int, skips: [Int], using random: inout some RandomNumberGenerator) {
        var (stages, skips, width) = ([Stage](), skips, width)
        for (level, outputs) in shape.levels.enumerated().reversed() {
            for index in 0...shape.residualBlocks {
                let block = GroupNormBlock(
                    inputs: width + (skips.popLast() ?? 0),
                    outputs: outputs,
                    time: shape.time,
                    using: &random
                )
                let attention = shape.attention(level: level, channels: outputs, using: &random)
                var doubling: GroupNormBlock?
                if level > 0 && index == shape.residualBlocks {
                    doubling = GroupNormBlock(
                        inputs: outputs,
                        outputs: outputs,
                        time: shape.time,
                        resampling: .doubling,
                        using: &random
                    )
                }
                stages.append(Stage(block: block, attention: attention, doubling: doubling))
                width = outputs
            }
        }
        self.stages = stages
        norm = GroupNormLayer(channels: width)
        head = ConvolutionLayer(inputs: width, outputs: 1, kernel: 3, gain: 0, using: &random)
    }

    func callAsFunction(_ x: Variable, skips: [Variable], time: Variable?) -> Variable {
        var (x, skips) = (x, skips)
        for stage in stages {
            if let skip = skips.popLast() { x = x.concatenatingChannels(of: skip) }
            x = stage.block(x, time: time)
            if let attention = stage.attention { x = attention(x) }
            if let doubling = stage.doubling { x = doubling(x, time: time) }
        }
        return head(norm(x, silu: true))
    }

    var published: [NamedParameter] {
        stages.enumerated().flatMap { index, stage in
            let own = stage.block.published.prefixed("output_blocks.\(index).0")
            let attention = stage.attention?.published.prefixed("output_blocks.\(index).1") ?? []
            let place = attention.isEmpty ? 1 : 2
            return own + attention
                + (stage.doubling?.published.prefixed("output_blocks.\(index).\(place)") ?? [])
        } + norm.published.prefixed("out.0") + head.published.prefixed("out.2")
    }
}

/// Self-attention over all pixels, added to its input: GroupNorm, queries, keys and values from one product, heads, and
/// a product back.
struct AttentionBlock {
    private let headChannels: Int
    private let norm: GroupNormLayer
    private let projection: LinearLayer
    private let output: LinearLayer

    init(channels: Int, headChannels: Int, using random: inout some RandomNumberGenerator) {
        precondition(
            headChannels > 0 && channels % headChannels == 0,
            "heads of \(headChannels) channels do not divide \(channels)"
        )
        self.headChannels = headChannels
        norm = GroupNormLayer(channels: channels)
        projection = .published(inputs: channels, outputs: 3 * channels, using: &random)
        output = LinearLayer(inputs: channels, outputs: channels, gain: 0, using: &random)
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let (batch, pixels, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
        let rows = norm(x, silu: false).reshaped([batch * pixels, channels])
        let attended = projection(rows).reshaped([batch, pixels, 3 * channels])
            .selfAttention(headChannels: headChannels)
        return x + output(attended.reshaped([batch * pixels, channels])).reshaped(x.shape)
    }

    var published: [NamedParameter] {
        norm.published.prefixed("norm") + projection.publishedPointwise.prefixed("qkv")
            + output.publishedPointwise.prefixed("proj_out")
    }
}
