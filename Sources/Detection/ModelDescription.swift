public import Networks

/// Everything about a model but its weights; the metadata of a model file.
public struct ModelDescription: Sendable, Equatable, Codable {
    /// The method's name; `pddpm` so far.
    public var method = "pddpm"
    /// `realtime` for the network and phases of the daemon.
    public var profile = "realtime"
    /// Width and depth of the network.
    public var architecture: RealtimeUNet.Architecture
    /// Grey values to the network's scale.
    public var normalisation: Normalisation
    /// Noise, timestep and patches.
    public var diffusion: PatchedDiffusion
    /// How input and reconstruction are compared.
    public var residual: Residual
    /// Thresholds and how they were found; absent until calibrated.
    public var calibration: Calibration?
    /// Where the weights come from.
    public var training: Provenance

    /// Where a model's weights come from.
    public struct Provenance: Sendable, Equatable, Codable {
        /// The command that trained it.
        public var command: String
        /// Steps done.
        public var steps: Int
        /// Seed of everything drawn at random.
        public var seed: UInt64
        /// Frames trained on.
        public var frames: Int
        /// Loss on held-out normal frames.
        public var validationLoss: Float?

        /// Gathers the facts.
        public init(command: String, steps: Int, seed: UInt64, frames: Int, validationLoss: Float?) {
            self.command = command
            self.steps = steps
            self.seed = seed
            self.frames = frames
            self.validationLoss = validationLoss
        }
    }

    /// Gathers a description of a `realtime` pDDPM.
    public init(
        architecture: RealtimeUNet.Architecture,
        normalisation: Normalisation,
        diffusion: PatchedDiffusion,
        residual: Residual,
        training: Provenance
    ) {
        self.architecture = architecture
        self.normalisation = normalisation
        self.diffusion = diffusion
        self.residual = residual
        self.training = training
    }
}
