package import Tensors

/// f-AnoGAN: a generator of normal images, the discriminator it was trained against, and an encoder into
/// latent vectors.
///
/// Schlegl et al. 2019. Images are N x S x S x 1 in [0, 1], S the configured size; the generator ends in
/// tanh, so its own images lie in [-1, 1] until it has learnt. Parameters have the published names: `G.`,
/// `D.` and `E.` before those of the three.
package final class FAnoGAN: Network {
    /// The size of the three networks.
    package let configuration: FAnoGANConfiguration
    /// Latent vectors to images.
    package let generator: Generator
    /// Images to a judgement, real or not.
    package let discriminator: Discriminator
    /// Images to latent vectors.
    package let encoder: Encoder

    /// Networks with random weights.
    package init(_ configuration: FAnoGANConfiguration, using random: inout some RandomNumberGenerator) {
        precondition(
            configuration.imageSize > 0 && configuration.imageSize % 16 == 0 && configuration.latent > 0,
            "images of \(configuration.imageSize), latent vectors of \(configuration.latent)"
        )
        self.configuration = configuration
        generator = Generator(configuration, using: &random)
        discriminator = Discriminator(configuration, using: &random)
        encoder = Encoder(configuration, using: &random)
    }

    /// The normal image nearest to each image: N x S x S x 1 to the same, in [-1, 1].
    package func reconstructed(_ x: Variable) -> Variable {
        generator(encoder(x, mode: .evaluation), mode: .evaluation)
    }

    /// All weights and running statistics.
    package var parameters: [NamedParameter] {
        generator.parameters.prefixed("G") + discriminator.parameters.prefixed("D")
            + encoder.parameters.prefixed("E")
    }
}

extension FAnoGAN {
    /// The published slope of the leaky rectifiers.
    static let slope: Float = 0.2
    /// Added to the variances that are normalised by: the published networks say 0.8 where they mean the
    /// momentum.
    static let epsilon: Float = 0.8
}

extension ConvolutionLayer {
    /// Weights and bias by the names of the published networks.
    var publishedParameters: [NamedParameter] {
        [
            NamedParameter(name: "weight", variable: weights, layout: .convolution),
            NamedParameter(name: "bias", variable: bias),
        ]
    }
}

extension LinearLayer {
    /// Weights and bias by the names of the published networks.
    func publishedParameters(weight: PublishedLayout, bias layout: PublishedLayout = .same)
        -> [NamedParameter]
    {
        [
            NamedParameter(name: "weight", variable: weights, layout: weight),
            NamedParameter(name: "bias", variable: bias, layout: layout),
        ]
    }
}
