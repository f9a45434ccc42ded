import Tensors

/// What the U-Nets and autoencoders of the published family share: the sizes of their halves.
struct FamilyShape {
    let channels: Int
    let multipliers: [Int]
    let residualBlocks: Int
    let headChannels: Int
    /// Absent where no timestep enters.
    let time: GroupNormBlock.Time?

    var levels: [Int] { multipliers.map { $0 * channels } }

    init(_ configuration: UNetConfiguration) {
        channels = configuration.channels
        multipliers = configuration.multipliers
        residualBlocks = configuration.residualBlocks
        headChannels = configuration.headChannels
        time = .init(length: 4 * configuration.channels, conditioning: configuration.conditioning)
    }

    init(_ configuration: AutoencoderConfiguration) {
        channels = configuration.channels
        multipliers = configuration.multipliers
        residualBlocks = configuration.residualBlocks
        headChannels = configuration.headChannels
        time = nil
    }
}

/// The way down: a stem, residual blocks at each level, halvings between levels.
struct EncoderHalf {
    private let stem: ConvolutionLayer
    private let blocks: [GroupNormBlock]
    /// Channels after the stem and after each block.
    let widths: [Int]

    init(_ shape: FamilyShape, using random: inout some RandomNumberGenerator) {
        stem = .published(inputs: 1, outputs: shape.channels, kernel: 3, using: &random)
        var (blocks, widths) = ([GroupNormBlock](), [shape.channels])
        for (level, outputs) in shape.levels.enumerated() {
            for _ in 0..<shape.residualBlocks {
                let inputs = widths[widths.count - 1]
                blocks.append(
                    GroupNormBlock(inputs: inputs, outputs: outputs, time: shape.time, using: &random)
                )
                widths.append(outputs)
            }
            guard level < shape.levels.count - 1 else { continue }
            let last = widths[widths.count - 1]
            blocks.append(
                GroupNormBlock(
                    inputs: last,
                    outputs: last,
                    time: shape.time,
                    resampling: .halving,
                    using: &random
                )
            )
            widths.append(last)
        }
        (self.blocks, self.widths) = (blocks, widths)
    }

    /// What comes out of the stem and of each block, the last being the lowest level.
    func callAsFunction(_ x: Variable, time: Variable?) -> [Variable] {
        var passed = [stem(x)]
        for block in blocks { passed.append(block(passed[passed.count - 1], time: time)) }
        return passed
    }

    var published: [NamedParameter] {
        stem.published.prefixed("input_blocks.0.0")
            + blocks.enumerated().flatMap { $1.published.prefixed("input_blocks.\($0 + 1).0") }
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
        let doubling: GroupNormBlock?
    }

    private let stages: [Stage]
    private let norm: GroupNormLayer
    private let exit: ConvolutionLayer

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
                stages.append(Stage(block: block, doubling: doubling))
                width = outputs
            }
        }
        self.stages = stages
        norm = GroupNormLayer(channels: width)
        exit = ConvolutionLayer(inputs: width, outputs: 1, kernel: 3, gain: 0, using: &random)
    }

    func callAsFunction(_ x: Variable, skips: [Variable], time: Variable?) -> Variable {
        var (x, skips) = (x, skips)
        for stage in stages {
            if let skip = skips.popLast() { x = x.concatenatingChannels(of: skip) }
            x = stage.block(x, time: time)
            if let doubling = stage.doubling { x = doubling(x, time: time) }
        }
        return exit(norm(x, silu: true))
    }

    var published: [NamedParameter] {
        stages.enumerated().flatMap { index, stage in
            stage.block.published.prefixed("output_blocks.\(index).0")
                + (stage.doubling?.published.prefixed("output_blocks.\(index).1") ?? [])
        } + norm.published.prefixed("out.0") + exit.published.prefixed("out.2")
    }
}
