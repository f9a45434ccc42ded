/// How wide and deep a network of the published U-Net family is.
package struct UNetConfiguration: Sendable, Equatable, Codable {
    /// How the timestep enters a residual block.
    package enum Conditioning: String, Sendable, Equatable, Codable {
        /// As scale and shift after the second normalisation: the published pDDPM.
        case scaleShift = "scale-shift"
        /// Added before the second normalisation: the published DDPM.
        case added
    }

    /// Channels at full resolution, a multiple of the 32 groups of the normalisation.
    package var channels = 128
    /// Multiple of `channels` at each level; every level halves the resolution of the one before it.
    package var multipliers = [1, 2, 2]
    /// Residual blocks a level on the way down; one more on the way up.
    package var residualBlocks = 3
    /// Channels of one attention head.
    package var headChannels = 64
    /// How the timestep enters.
    package var conditioning = Conditioning.scaleShift

    /// The published pDDPM network.
    package init() {}

    /// Height and width of an image must be multiples of this.
    package var sizeMultiple: Int { 1 << (multipliers.count - 1) }
}
