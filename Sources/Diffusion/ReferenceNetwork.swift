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

    /// Images N x W x W x 1 at one timestep each to their reconstructions.
    ///
    /// In [-1, 1], but for f-AnoGAN, which is trained on [0, 1]. A VAE takes the mean of its latent vector, or a sample of it
    /// from `latentNoise`: N x latent standard normal numbers.
    package func reconstructed(_ images: Variable, timesteps: [Int], latentNoise: Variable? = nil) -> Variable
    {
        switch self {
        case .unet(let network): network(images, timesteps: timesteps)
        case .autoencoder(let network): network(images, latentNoise: latentNoise)
        case .fanogan(let network): network.reconstructed(images)
        }
    }
}

/// Which network a `reference` model has, and its size.
package enum NetworkConfiguration: Sendable, Equatable, Codable {
    /// The U-Net of pDDPM and DDPM.
    case unet(UNetConfiguration)
    /// The autoencoder of AE and VAE.
    case autoencoder(AutoencoderConfiguration)
    /// Generator, discriminator and encoder of f-AnoGAN.
    case fanogan(FAnoGANConfiguration)

    /// The published network of a method.
    package init(published method: Method) {
        switch method {
        case .pddpm: self = .unet(UNetConfiguration())
        case .ddpm:
            var configuration = UNetConfiguration()
            configuration.conditioning = .added
            self = .unet(configuration)
        case .ae: self = .autoencoder(AutoencoderConfiguration())
        case .vae:
            var configuration = AutoencoderConfiguration()
            configuration.variational = AutoencoderConfiguration.Bottleneck()
            self = .autoencoder(configuration)
        case .fanogan: self = .fanogan(FAnoGANConfiguration())
        }
    }

    /// Channels at full resolution, which decide the memory of a pass.
    var widestChannels: Int {
        switch self {
        case .unet(let configuration): configuration.channels
        case .autoencoder(let configuration): configuration.channels
        case .fanogan: 128
        }
    }

    /// Length of a VAE's latent vector; `nil` for the other networks.
    package var sampledLatent: Int? {
        guard case .autoencoder(let configuration) = self else { return nil }
        return configuration.variational?.latent
    }

    /// Height and width of a window must be multiples of this.
    package var sizeMultiple: Int {
        switch self {
        case .unet(let configuration): configuration.sizeMultiple
        case .autoencoder(let configuration): configuration.sizeMultiple
        case .fanogan: 16
        }
    }

    /// Values of its largest single weight: a file that holds fewer in all cannot be of this network.
    package var largestWeight: Int {
        switch self {
        case .unet(let configuration):
            let widest = configuration.channels * (configuration.multipliers.max() ?? 1)
            return 9 * widest * widest
        case .autoencoder(let configuration):
            let widest = configuration.channels * (configuration.multipliers.max() ?? 1)
            return 9 * widest * widest
        case .fanogan(let configuration):
            return configuration.latent * 128 * (configuration.imageSize / 4) * (configuration.imageSize / 4)
        }
    }

    /// What makes it unfit for a method and a window, in words; `nil` if nothing does.
    func fault(method: Method, window: Int) -> String? {
        switch (self, method) {
        case (.unet(let configuration), .pddpm), (.unet(let configuration), .ddpm):
            Self.fault(size: configuration)
        case (.autoencoder(let configuration), .ae), (.autoencoder(let configuration), .vae):
            Self.fault(size: configuration)
                ?? Self.fault(bottleneck: configuration.variational, method: method, window: window)
        case (.fanogan(let configuration), .fanogan):
            Self.fault(latent: configuration.latent)
                ?? (configuration.imageSize == window
                    ? nil : "has an f-AnoGAN for images of \(configuration.imageSize), not of \(window)")
        default: "has a network that is not of the method \(method.rawValue)"
        }
    }

    private static func fault(size: some FamilySize) -> String? {
        let (channels, multipliers) = (size.channels, size.multipliers)
        guard (32...1024).contains(channels), channels % 32 == 0 else {
            return "has \(channels) channels; 32 to 1024 in multiples of 32 can be built"
        }
        guard (1...6).contains(multipliers.count), multipliers.allSatisfy({ (1...8).contains($0) }) else {
            return "has the channel multipliers \(multipliers); 1 to 6 of them, each 1 to 8, can be built"
        }
        guard (1...8).contains(size.residualBlocks) else {
            return "has \(size.residualBlocks) residual blocks a level; 1 to 8 can be built"
        }
        guard size.attentionLevels.allSatisfy(multipliers.indices.contains) else {
            return "has attention at the levels \(size.attentionLevels) of \(multipliers.count)"
        }
        let widths = (size.attentionLevels + [multipliers.count - 1]).map { channels * multipliers[$0] }
        guard let odd = widths.first(where: { size.headChannels <= 0 || $0 % size.headChannels != 0 }) else {
            return nil
        }
        return "has attention heads of \(size.headChannels) channels, which do not divide its \(odd)"
    }

    private static func fault(
        bottleneck: AutoencoderConfiguration.Bottleneck?,
        method: Method,
        window: Int
    ) -> String? {
        guard let bottleneck else { return method == .vae ? "is a VAE without a latent vector" : nil }
        guard method == .vae else { return "is an AE with the latent vector of a VAE" }
        guard bottleneck.imageSize == window else {
            return "has a VAE for images of \(bottleneck.imageSize), not of \(window)"
        }
        return fault(latent: bottleneck.latent)
    }

    private static func fault(latent: Int) -> String? {
        (1...4096).contains(latent) ? nil : "has a latent vector of \(latent); 1 to 4096 can be built"
    }
}
