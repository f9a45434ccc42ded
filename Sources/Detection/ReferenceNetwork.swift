package import Networks
package import Tensors

/// The network of a `reference` model, whichever its method has.
package enum ReferenceNetwork {
    /// pDDPM and DDPM.
    case unet(UNet)
    /// AE and VAE.
    case autoencoder(Autoencoder)
    /// f-AnoGAN.
    case fanogan(FAnoGAN)

    /// A network with random weights.
    package init(_ configuration: NetworkConfiguration, using random: inout some RandomNumberGenerator) {
        self =
            switch configuration {
            case .unet(let configuration): .unet(UNet(configuration, using: &random))
            case .autoencoder(let configuration): .autoencoder(Autoencoder(configuration, using: &random))
            case .fanogan(let configuration): .fanogan(FAnoGAN(configuration, using: &random))
            }
    }

    /// What its weights are loaded into.
    package var network: any Network {
        switch self {
        case .unet(let network): network
        case .autoencoder(let network): network
        case .fanogan(let network): network
        }
    }

    /// Images N x W x W x 1 at one timestep each to their reconstructions; a VAE takes the mean of its latent vector.
    ///
    /// In [-1, 1], but for f-AnoGAN, which is trained on [0, 1].
    package func reconstructed(_ images: Variable, timesteps: [Int]) -> Variable {
        switch self {
        case .unet(let network): network(images, timesteps: timesteps)
        case .autoencoder(let network): network(images)
        case .fanogan(let network): network.reconstructed(images)
        }
    }
}
