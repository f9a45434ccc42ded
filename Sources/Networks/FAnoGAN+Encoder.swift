package import Tensors

extension FAnoGAN {
    /// Images to latent vectors in [-1, 1].
    package final class Encoder: Network {
        private let trunk: Trunk
        private let exit: LinearLayer

        init(_ configuration: FAnoGANConfiguration, using random: inout some RandomNumberGenerator) {
            trunk = Trunk(imageSize: configuration.imageSize, using: &random)
            exit = LinearLayer(inputs: trunk.length, outputs: configuration.latent, using: &random)
        }

        /// Latent vectors N x L of images N x S x S x 1.
        package func callAsFunction(
            _ x: Variable,
            mode: NormalisationMode,
            dropout: ChannelDropout? = nil
        ) -> Variable {
            exit(trunk(x, mode: mode, dropout: dropout)).tanh()
        }

        /// All weights and running statistics, by their published names.
        package var parameters: [NamedParameter] {
            trunk.parameters.prefixed("model")
                + exit.publishedParameters(weight: trunk.layout).prefixed("adv_layer.0")
        }
    }
}
