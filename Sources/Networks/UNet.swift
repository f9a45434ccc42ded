package import Tensors

/// The U-Net of the published pDDPM and DDPM: predicts the clean image x_0 from a noised one.
///
/// Dhariwal and Nichol 2021, section 3, at the sizes of a `UNetConfiguration`. Parameters have the published names.
package final class UNet: Network {
    /// How wide and deep this network is.
    package let configuration: UNetConfiguration
    private let timeEntrance: LinearLayer
    private let timeExit: LinearLayer
    private let encoder: EncoderHalf
    private let middle: MiddleBlocks
    private let decoder: DecoderHalf

    /// A network with random weights.
    ///
    /// Channels that do not make 32 groups or whole heads are a programmer's mistake.
    package init(_ configuration: UNetConfiguration, using random: inout some RandomNumberGenerator) {
        self.configuration = configuration
        let shape = FamilyShape(configuration)
        let (channels, length) = (configuration.channels, 4 * configuration.channels)
        timeEntrance = .published(inputs: channels, outputs: length, using: &random)
        timeExit = .published(inputs: length, outputs: length, using: &random)
        encoder = EncoderHalf(shape, using: &random)
        let width = encoder.widths[encoder.widths.count - 1]
        middle = MiddleBlocks(shape, width: width, using: &random)
        decoder = DecoderHalf(shape, width: width, skips: encoder.widths, using: &random)
    }

    /// Predicts the clean images, N x H x W x 1 in [-1, 1], from noised ones at one timestep each.
    ///
    /// H and W are multiples of the configuration's `sizeMultiple`.
    package func callAsFunction(_ x: Variable, timesteps: [Int]) -> Variable {
        precondition(
            x.shape.count == 4 && x.shape[0] == timesteps.count && x.shape[3] == 1,
            "images \(x.shape) at \(timesteps.count) timesteps"
        )
        let features = Variable(
            constant: .timestepFeatures(timesteps, length: configuration.channels)
        )
        // Every block applies SiLU to the embedding first; it is done once.
        let time = timeExit(timeEntrance(features).silu()).silu()
        let skips = encoder(x, time: time)
        return decoder(middle(skips[skips.count - 1], time: time), skips: skips, time: time)
    }

    /// All weights under their published names, in a fixed order.
    package var parameters: [NamedParameter] {
        timeEntrance.published.prefixed("time_embed.0") + timeExit.published.prefixed("time_embed.2")
            + encoder.published + middle.published + decoder.published
    }
}
