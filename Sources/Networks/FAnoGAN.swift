package import Tensors

/// f-AnoGAN: a generator of normal images, the discriminator it was trained against, and an encoder into
/// latent vectors.
///
/// Schlegl et al. 2019. Images are N x S x S x 1 in [0, 1], S the configured size; the generator ends in
/// tanh, so its own images lie in [-1, 1] before training. Parameters have the published names: `G.`,
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

/// The size of f-AnoGAN's three networks.
package struct FAnoGANConfiguration: Sendable, Equatable, Codable {
    /// Height and width of the images, a multiple of 16.
    package var imageSize = 192
    /// Length of the latent vector.
    package var latent = 256

    /// The published f-AnoGAN.
    package init() {}
}

extension FAnoGAN {
    /// Latent vectors to images: a linear layer to 128 channels at a quarter of the size, two doublings,
    /// tanh.
    package final class Generator: Network {
        private static let channels = [128, 128, 64, 1]
        private let side: Int
        private let stem: LinearLayer
        private let first: BatchNormalisation
        private let convolutions: [ConvolutionLayer]
        private let normalisations: [BatchNormalisation]

        init(_ configuration: FAnoGANConfiguration, using random: inout some RandomNumberGenerator) {
            let channels = Self.channels
            side = configuration.imageSize / 4
            stem = LinearLayer(
                inputs: configuration.latent,
                outputs: side * side * channels[0],
                using: &random
            )
            first = BatchNormalisation(channels: channels[0], epsilon: 1e-5)
            // A small last layer keeps tanh out of its flat ends at first.
            convolutions = (0..<3).map {
                ConvolutionLayer(
                    inputs: channels[$0],
                    outputs: channels[$0 + 1],
                    kernel: 3,
                    gain: $0 == 2 ? 0.3 : 1,
                    using: &random
                )
            }
            normalisations = (1..<3).map {
                BatchNormalisation(channels: channels[$0], epsilon: FAnoGAN.epsilon)
            }
        }

        /// Images N x S x S x 1 in [-1, 1] from latent vectors N x L.
        package func callAsFunction(_ latent: Variable, mode: NormalisationMode) -> Variable {
            let seed = stem(latent).reshaped([latent.shape[0], side, side, Self.channels[0]])
            var x = first(seed, mode: mode)
            for (convolution, normalisation) in zip(convolutions, normalisations) {
                x = normalisation(x.upsampled(), after: convolution, mode: mode).leakyReLU(
                    slope: FAnoGAN.slope
                )
            }
            return convolutions[2](x).tanh()
        }

        /// All weights and running statistics, by their published names.
        package var parameters: [NamedParameter] {
            let image = PublishedLayout.rows(channels: Self.channels[0], height: side, width: side)
            return stem.published(weights: image, bias: image).prefixed("l1.0")
                + first.parameters.prefixed("conv_blocks.0")
                + convolutions[0].published.prefixed("conv_blocks.2")
                + normalisations[0].parameters.prefixed("conv_blocks.3")
                + convolutions[1].published.prefixed("conv_blocks.6")
                + normalisations[1].parameters.prefixed("conv_blocks.7")
                + convolutions[2].published.prefixed("conv_blocks.9")
        }
    }
}

extension FAnoGAN {
    /// Images to a number each, high for images that look real.
    package final class Discriminator: Network {
        private let trunk: Trunk
        private let head: LinearLayer

        init(_ configuration: FAnoGANConfiguration, using random: inout some RandomNumberGenerator) {
            trunk = Trunk(imageSize: configuration.imageSize, using: &random)
            head = LinearLayer(inputs: trunk.length, outputs: 1, using: &random)
        }

        /// Judgements N x 1 of images N x S x S x 1.
        package func callAsFunction(
            _ x: Variable,
            mode: NormalisationMode,
            dropout: ChannelDropout? = nil
        ) -> Variable {
            head(trunk(x, mode: mode, dropout: dropout))
        }

        /// What the judgement is made of: N x (S/16 S/16 128), of images N x S x S x 1.
        package func features(
            _ x: Variable,
            mode: NormalisationMode,
            dropout: ChannelDropout? = nil
        ) -> Variable {
            trunk(x, mode: mode, dropout: dropout)
        }

        /// All weights and running statistics, by their published names.
        package var parameters: [NamedParameter] {
            trunk.parameters.prefixed("model")
                + head.published(weights: trunk.layout).prefixed("adv_layer.0")
        }
    }
}

extension FAnoGAN {
    /// Images to latent vectors in [-1, 1].
    package final class Encoder: Network {
        private let trunk: Trunk
        private let head: LinearLayer

        init(_ configuration: FAnoGANConfiguration, using random: inout some RandomNumberGenerator) {
            trunk = Trunk(imageSize: configuration.imageSize, using: &random)
            head = LinearLayer(inputs: trunk.length, outputs: configuration.latent, using: &random)
        }

        /// Latent vectors N x L of images N x S x S x 1.
        package func callAsFunction(
            _ x: Variable,
            mode: NormalisationMode,
            dropout: ChannelDropout? = nil
        ) -> Variable {
            head(trunk(x, mode: mode, dropout: dropout)).tanh()
        }

        /// All weights and running statistics, by their published names.
        package var parameters: [NamedParameter] {
            trunk.parameters.prefixed("model")
                + head.published(weights: trunk.layout).prefixed("adv_layer.0")
        }
    }
}

extension FAnoGAN {
    /// Four convolutions that halve the image, to 16, 32, 64 and 128 channels; the body of discriminator and
    /// encoder.
    struct Trunk {
        private static let channels = [1, 16, 32, 64, 128]
        private let convolutions: [ConvolutionLayer]
        /// None after the first convolution.
        private let normalisations: [BatchNormalisation]
        /// Height and width of what comes out.
        private let side: Int

        init(imageSize: Int, using random: inout some RandomNumberGenerator) {
            let channels = Self.channels
            convolutions = (0..<4).map {
                ConvolutionLayer(
                    inputs: channels[$0],
                    outputs: channels[$0 + 1],
                    kernel: 3,
                    stride: 2,
                    using: &random
                )
            }
            normalisations = channels.dropFirst(2).map {
                BatchNormalisation(channels: $0, epsilon: FAnoGAN.epsilon)
            }
            side = imageSize / 16
        }

        var length: Int { side * side * Self.channels[4] }

        /// How published weights face the features.
        var layout: PublishedLayout { .columns(channels: Self.channels[4], height: side, width: side) }

        /// Images N x S x S x 1 to features N x `length`.
        func callAsFunction(_ image: Variable, mode: NormalisationMode, dropout: ChannelDropout?) -> Variable
        {
            var x = image
            for (index, convolution) in convolutions.enumerated() {
                x = convolution(x).leakyReLU(slope: FAnoGAN.slope)
                if let dropout { x = dropout(x) }
                if index > 0 { x = normalisations[index - 1](x, mode: mode) }
            }
            return x.reshaped([image.shape[0], length])
        }

        /// Published positions: rectifiers and dropouts count, and only later blocks have a normalisation.
        var parameters: [NamedParameter] {
            convolutions.enumerated().flatMap { index, convolution in
                let position = index == 0 ? 0 : 4 * index - 1
                let own = convolution.published.prefixed("\(position)")
                guard index > 0 else { return own }
                return own + normalisations[index - 1].parameters.prefixed("\(position + 3)")
            }
        }
    }
}

/// Switches whole channels of images off at random while a network trains; what is left is scaled up so that
/// means stay.
///
/// Tompson et al. 2015, section 3.2. One object serves one step; its generator makes the step repeatable.
package final class ChannelDropout {
    private let rate: Float
    private var random: any RandomNumberGenerator

    /// Switches a share `rate`, in [0, 1), of the channels off; 0.25 as published.
    package init(rate: Float = 0.25, using random: some RandomNumberGenerator) {
        precondition((0..<1).contains(rate), "a share of \(rate) of the channels")
        self.rate = rate
        self.random = random
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let shape = [x.shape[0], x.shape[3]]
        let kept = 1 / (1 - rate)
        let factors = (0..<shape[0] * shape[1]).map { _ in
            Float(random.next() >> 40) * 0x1p-24 < rate ? 0 : kept
        }
        return x.scalingChannels(Variable(constant: Tensor(factors, shape: shape)))
    }
}
