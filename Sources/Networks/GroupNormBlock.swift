import Tensors

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
        let entered = first(resampling(firstNorm(x, silu: true)))
        let kept = resampling(x)
        guard embedding != nil || resampling == .none else {
            return (skip.map { $0(kept) } ?? kept) + entered
        }
        let branch = conditioned(entered, time: time)
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
