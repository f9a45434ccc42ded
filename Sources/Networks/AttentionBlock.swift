import Tensors

/// Self-attention over all pixels, added to its input: GroupNorm, queries, keys and values from one product, heads, and
/// a product back.
struct AttentionBlock {
    private let headChannels: Int
    private let norm: GroupNormLayer
    private let entrance: LinearLayer
    private let exit: LinearLayer

    init(channels: Int, headChannels: Int, using random: inout some RandomNumberGenerator) {
        precondition(
            headChannels > 0 && channels % headChannels == 0,
            "heads of \(headChannels) channels do not divide \(channels)"
        )
        self.headChannels = headChannels
        norm = GroupNormLayer(channels: channels)
        entrance = .published(inputs: channels, outputs: 3 * channels, using: &random)
        exit = LinearLayer(inputs: channels, outputs: channels, gain: 0, using: &random)
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let (batch, pixels, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
        let rows = norm(x, silu: false).reshaped([batch * pixels, channels])
        let attended = entrance(rows).reshaped([batch, pixels, 3 * channels])
            .selfAttention(headChannels: headChannels)
        return x + exit(attended.reshaped([batch * pixels, channels])).reshaped(x.shape)
    }

    var published: [NamedParameter] {
        norm.published.prefixed("norm") + entrance.publishedPointwise.prefixed("qkv")
            + exit.publishedPointwise.prefixed("proj_out")
    }
}
