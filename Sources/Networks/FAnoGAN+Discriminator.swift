package import Tensors

extension FAnoGAN {
    /// Images to a number each, high for images that look real.
    package final class Discriminator: Network {
        private let trunk: Trunk
        private let exit: LinearLayer

        init(_ configuration: FAnoGANConfiguration, using random: inout some RandomNumberGenerator) {
            trunk = Trunk(imageSize: configuration.imageSize, using: &random)
            exit = LinearLayer(inputs: trunk.length, outputs: 1, using: &random)
        }

        /// Judgements N x 1 of images N x S x S x 1.
        package func callAsFunction(
            _ x: Variable,
            mode: NormalisationMode,
            dropout: ChannelDropout? = nil
        ) -> Variable {
            exit(trunk(x, mode: mode, dropout: dropout))
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
                + exit.publishedParameters(weight: trunk.layout).prefixed("adv_layer.0")
        }
    }
}
