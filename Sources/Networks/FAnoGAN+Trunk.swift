import Tensors

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

        /// Length of the features.
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
                let own = convolution.publishedParameters.prefixed("\(position)")
                guard index > 0 else { return own }
                return own + normalisations[index - 1].parameters.prefixed("\(position + 3)")
            }
        }
    }
}
