/// The size of f-AnoGAN's three networks.
public struct FAnoGANConfiguration: Sendable, Equatable, Codable {
    /// Height and width of the images, a multiple of 16.
    public var imageSize = 192
    /// Length of the latent vector.
    public var latent = 256

    /// The published f-AnoGAN.
    public init() {}
}
