package import Tensors

extension FAnoGAN {
    /// Latent vectors to images: a linear layer to 128 channels at a quarter of the size, two doublings,
    /// tanh.
    package final class Generator: Network {
        private static let channels = [128, 128, 64, 1]
        private let side: Int
        private let entrance: LinearLayer
        private let first: BatchNormalisation
        private let convolutions: [ConvolutionLayer]
        private let normalisations: [BatchNormalisation]

        init(_ configuration: FAnoGANConfiguration, using random: inout some RandomNumberGenerator) {
            let channels = Self.channels
            side = configuration.imageSize / 4
            entrance = LinearLayer(
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
            let seed = entrance(latent).reshaped([latent.shape[0], side, side, Self.channels[0]])
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
            return entrance.publishedParameters(weight: image, bias: image).prefixed("l1.0")
                + first.parameters.prefixed("conv_blocks.0")
                + convolutions[0].publishedParameters.prefixed("conv_blocks.2")
                + normalisations[0].parameters.prefixed("conv_blocks.3")
                + convolutions[1].publishedParameters.prefixed("conv_blocks.6")
                + normalisations[1].parameters.prefixed("conv_blocks.7")
                + convolutions[2].publishedParameters.prefixed("conv_blocks.9")
        }
    }
}
