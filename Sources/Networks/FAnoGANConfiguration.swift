/// The size of f-AnoGAN's three networks.
package struct FAnoGANConfiguration: Sendable, Equatable, Codable {
    /// Height and width of the images, a multiple of 16.
    package var imageSize = 192
    /// Length of the latent vector.
    package var latent = 256

    /// The published f-AnoGAN.
    package init() {}
}
