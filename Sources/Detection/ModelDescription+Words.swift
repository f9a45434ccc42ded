import Diffusion
import Networks

extension ModelDescription {
    /// Method, network and settings in words.
    package var words: String {
        switch profile {
        case .realtime(let settings): "\(method.rawValue), \(settings.words), residual \(residual.rawValue)"
        case .reference(let settings): words(settings)
        }
    }

    private func words(_ settings: ReferenceSettings) -> String {
        let network =
            switch settings.network {
            case .unet(let size): Self.words(size)
            case .autoencoder(let size): Self.words(size)
            case .fanogan(let size): "latent vector of \(size.latent)"
            }
        let patches = method == .pddpm ? ", patch \(settings.patch)" : ""
        let noised =
            method == .fanogan
            ? "" : ", timestep \(settings.timestep) of \(settings.steps), \(settings.noise.rawValue) noise"
        return "\(method.rawValue), \(network), window \(settings.window)\(patches), overlap "
            + "\(settings.overlap)\(noised), residual \(residual.rawValue)"
    }

    private static func words(_ size: some FamilySize) -> String {
        let levels = size.attentionLevels.map { "\($0)" }.joined(separator: ", ")
        return
            "\(size.channels) channels x \(size.multipliers), \(size.residualBlocks) blocks a level, heads of "
            + "\(size.headChannels)" + (levels.isEmpty ? "" : ", attention at level \(levels)")
    }
}

extension RealtimeSettings {
    fileprivate var words: String {
        let (phases, channels) = (diffusion.phases, architecture.channels.map { "\($0)" })
        return
            "\(channels.joined(separator: "/")) channels, patches of \(phases.patch) in \(phases.count) phases, timestep "
            + "\(diffusion.timestep) of \(diffusion.steps), \(diffusion.noise.rawValue) noise"
    }
}
