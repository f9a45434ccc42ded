import ArgumentParser
package import Diffusion
import Networks
import Training

/// What a training of the `reference` profile is told; what is left out is as published.
struct ReferenceOptions: ParsableArguments {
    @Option(help: "Times every frame is shown (default: 300).")
    var epochs: Int?
    @Option(help: "Channels at full resolution, a multiple of 32 (default: 128).")
    var channels: Int?
    @Option(help: "Multiple of the channels at each level (default: 1,2,2).")
    var multipliers: NumberList?
    @Option(help: "Residual blocks a level (default: 3).")
    var blocks: Int?
    @Option(help: "Pixels per side of the sliding window and of the crops (default: 192).")
    var window: Int?
    @Option(help: "Length of the latent vector of VAE and f-AnoGAN (default: 256).")
    var latent: Int?
    @Option(help: "Share of a window that the next one covers again (default: 0.8).")
    var overlap: Double?

    /// The options given, by name.
    var given: [String] {
        let all: [(String, Bool)] = [
            ("--epochs", epochs != nil), ("--channels", channels != nil),
            ("--multipliers", multipliers != nil),
            ("--blocks", blocks != nil), ("--window", window != nil), ("--latent", latent != nil),
            ("--overlap", overlap != nil),
        ]
        return all.filter(\.1).map(\.0)
    }

    /// The published settings of a method with what was given instead.
    func settings(of method: Method, noiseSeed: UInt64) -> ReferenceSettings {
        var settings = ReferenceSettings(published: method)
        settings.noiseSeed = noiseSeed
        if let window {
            settings.window = window
            settings.patch = method == .pddpm ? window / 2 : window
        }
        if let overlap { settings.overlap = overlap }
        settings.network = resized(settings.network, window: settings.window)
        return settings
    }

    private func resized(_ network: NetworkConfiguration, window: Int) -> NetworkConfiguration {
        switch network {
        case .unet(var configuration):
            if let channels { configuration.channels = channels }
            if let multipliers { configuration.multipliers = multipliers.values }
            if let blocks { configuration.residualBlocks = blocks }
            configuration.headChannels = heads(configuration.channels, configuration.multipliers)
            return .unet(configuration)
        case .autoencoder(var configuration):
            if let channels { configuration.channels = channels }
            if let multipliers { configuration.multipliers = multipliers.values }
            if let blocks { configuration.residualBlocks = blocks }
            configuration.headChannels = heads(configuration.channels, configuration.multipliers)
            configuration.variational?.imageSize = window
            if let latent { configuration.variational?.latent = latent }
            return .autoencoder(configuration)
        case .fanogan(var configuration):
            configuration.imageSize = window
            if let latent { configuration.latent = latent }
            return .fanogan(configuration)
        }
    }

    /// The published 64 channels a head, or 32 where those do not divide the channels of the lowest level.
    private func heads(_ channels: Int, _ multipliers: [Int]) -> Int {
        channels * (multipliers.last ?? 1) % 64 == 0 ? 64 : 32
    }
}

extension Method: ExpressibleByArgument {}
extension NoiseKind: ExpressibleByArgument {}
extension Residual: ExpressibleByArgument {}
