package import Networks

/// What the `realtime` profile is made of: the network and the phases that keep up with a plate.
package struct RealtimeSettings: Sendable, Equatable {
    /// Width and depth of the network.
    package var architecture: RealtimeUNet.Architecture
    /// Grey values to the network's scale.
    package var normalisation: Normalisation
    /// Noise, timestep and patches.
    package var diffusion: PatchedDiffusion

    /// Gathers the settings.
    package init(
        architecture: RealtimeUNet.Architecture,
        normalisation: Normalisation,
        diffusion: PatchedDiffusion
    ) {
        self.architecture = architecture
        self.normalisation = normalisation
        self.diffusion = diffusion
    }

    /// What is wrong with settings that were decoded, in words; `nil` if nothing is.
    var fault: String? {
        let (phases, steps) = (diffusion.phases, diffusion.steps)
        guard
            RealtimeUNet.Architecture(
                cell: architecture.cell,
                channels: architecture.channels,
                blocks: architecture.blocks,
                embedding: architecture.embedding
            ) != nil
        else { return "names an architecture that cannot be built" }
        guard Normalisation(background: normalisation.background, reach: normalisation.reach) != nil else {
            return "has a grey scale of \(normalisation.background) and \(normalisation.reach)"
        }
        guard PatchPhases(patch: phases.patch, count: phases.count) != nil else {
            return "divides frames into \(phases.count) phases of patches of \(phases.patch)"
        }
        guard
            PatchedDiffusion(
                steps: steps,
                timestep: diffusion.timestep,
                noise: diffusion.noise,
                noiseSeed: diffusion.noiseSeed,
                phases: phases
            ) != nil
        else { return "noises at timestep \(diffusion.timestep) of \(steps)" }
        return nil
    }
}
