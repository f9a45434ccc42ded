/// How wide and deep an autoencoder is: the U-Net's encoder and decoder without skips and time.
package struct AutoencoderConfiguration: Sendable, Equatable, Codable {
    /// Channels at full resolution, a multiple of the 32 groups of the normalisation.
    package var channels = 128
    /// Multiple of `channels` at each level; every level halves the resolution of the one before it.
    package var multipliers = [1, 2, 2]
    /// Residual blocks a level on the way down; one more on the way up.
    package var residualBlocks = 3
    /// Channels of one attention head.
    package var headChannels = 64
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

    /// Height and width of an image must be multiples of this.
    package var sizeMultiple: Int { 1 << (multipliers.count - 1) }
}
