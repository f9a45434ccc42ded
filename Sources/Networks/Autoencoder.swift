package import Tensors

/// The published AE and VAE: the U-Net's two halves without skips and without time, and a bottleneck vector in the VAE.
///
/// Parameters have the published names.
package final class Autoencoder: Network {
    /// How wide and deep this network is.
    package let configuration: AutoencoderConfiguration
    private let encoder: EncoderHalf
    private let middle: MiddleBlocks
    private let decoder: DecoderHalf
    private let bottleneck: Bottleneck?

    /// The mean of the lowest level to the latent's mean and logarithm of variance, and the latent back to that level.
    private struct Bottleneck {
        let mean: LinearLayer
        let logVariance: LinearLayer
        let expansion: LinearLayer
        let channels: Int
        let side: Int
    }

    /// A network with random weights.
    ///
    /// Channels that do not make 32 groups or whole heads are a programmer's mistake.
    package init(_ configuration: AutoencoderConfiguration, using random: inout some RandomNumberGenerator) {
        self.configuration = configuration
        let shape = FamilyShape(configuration)
        encoder = EncoderHalf(shape, using: &random)
        let width = encoder.widths[encoder.widths.count - 1]
        middle = MiddleBlocks(shape, width: width, using: &random)
        decoder = DecoderHalf(shape, width: width, skips: [], using: &random)
        bottleneck = configuration.variational.map { size in
            let side = size.imageSize / configuration.sizeMultiple
            return Bottleneck(
                mean: .published(inputs: width, outputs: size.latent, using: &random),
                logVariance: .published(inputs: width, outputs: size.latent, using: &random),
                expansion: .published(inputs: size.latent, outputs: width * side * side, using: &random),
                channels: width,
                side: side
            )
        }
    }

    /// Reconstructs images, N x H x W x 1 in [-1, 1]; a VAE from the latent's mean, or from a sample of it.
    ///
    /// H and W are multiples of the configuration's `sizeMultiple`; a VAE's are its `imageSize`. `latentNoise` are N x latent
    /// standard normal numbers.
    package func callAsFunction(_ x: Variable, latentNoise: Variable? = nil) -> Variable {
        guard bottleneck != nil else { return decoder(compressed(x), skips: [], time: nil) }
        let distribution = encoded(x)
        guard let latentNoise else { return decoded(distribution.mean) }
        return decoded(Self.sample(of: distribution, noise: latentNoise))
    }

    /// A latent drawn from its distribution (Kingma and Welling 2014, equation 10), from standard normal numbers.
    package static func sample(
        of distribution: (mean: Variable, logVariance: Variable),
        noise: Variable
    ) -> Variable {
        distribution.mean + distribution.logVariance.affine(scale: 0.5).exponential() * noise
    }

    /// The mean and the logarithm of the variance of a VAE's latent, N x latent each.
    package func encoded(_ x: Variable) -> (mean: Variable, logVariance: Variable) {
        let bottleneck = checkedBottleneck
        let map = compressed(x)
        let pixels = map.shape[1] * map.shape[2]
        let pooled = map.sumOverPixels().affine(scale: 1 / Float(pixels))
        return (bottleneck.mean(pooled), bottleneck.logVariance(pooled))
    }

    /// Images from latents, N x latent, of a VAE.
    package func decoded(_ latent: Variable) -> Variable {
        let bottleneck = checkedBottleneck
        let side = bottleneck.side
        let map = bottleneck.expansion(latent)
            .reshaped([latent.shape[0], side, side, bottleneck.channels])
        return decoder(map, skips: [], time: nil)
    }

    private func compressed(_ x: Variable) -> Variable {
        let levels = encoder(x, time: nil)
        return middle(levels[levels.count - 1], time: nil)
    }

    private var checkedBottleneck: Bottleneck {
        guard let bottleneck else { preconditionFailure("a plain autoencoder has no latent vector") }
        return bottleneck
    }

    /// All weights under their published names, in a fixed order.
    package var parameters: [NamedParameter] {
        var parameters = encoder.published + middle.published + decoder.published
        if let bottleneck {
            let (channels, side) = (bottleneck.channels, bottleneck.side)
            let layout = PublishedLayout.rows(channels: channels, height: side, width: side)
            parameters += bottleneck.mean.published.prefixed("fc_mu")
            parameters += bottleneck.logVariance.published.prefixed("fc_logvar")
            parameters += bottleneck.expansion.published(weights: layout, bias: layout).prefixed("fc_dec")
        }
        return parameters
    }
}

/// How wide and deep an autoencoder is: the U-Net's encoder and decoder without skips and time.
package struct AutoencoderConfiguration: FamilySize, Sendable, Equatable, Codable {
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
    /// The bottleneck of a VAE; absent in a plain autoencoder.
    package var variational: Bottleneck?

    /// A VAE's bottleneck, which ties the network to one image size.
    package struct Bottleneck: Sendable, Equatable, Codable {
        /// Length of the latent vector.
        package var latent = 256
        /// Height and width of the images.
        package var imageSize = 192

        /// The published bottleneck.
        package init() {}
    }

    /// The published AE network.
    package init() {}
}
