package import Diffusion
package import Networks

/// What the names and shapes of published weights tell: the method, and how wide and deep its network is.
///
/// The width of attention heads leaves no trace in a shape and has to be told. Shapes are PyTorch's: O x I x KH x KW for
/// convolutions, O x I for linear layers.
package struct PublishedNetwork: Sendable, Equatable {
    /// The method that has such a network.
    package let method: Method
    /// Its network.
    package let network: NetworkConfiguration
    /// Height and width of the images, where the weights are tied to one size: by a latent vector (VAE and f-AnoGAN), or by the
    /// levels that have attention.
    package let imageSize: Int?

    /// Recognises a network by its weights' names; `nil` if it is none of the published.
    ///
    /// A network that is recognised need not be whole: loading the weights tells what is missing.
    package init?(shapes: [String: [Int]], headChannels: Int) {
        if shapes.keys.contains(where: { $0.hasPrefix("G.") }) {
            self.init(fanogan: shapes)
        } else {
            self.init(unet: shapes, headChannels: headChannels)
        }
    }

    private init?(fanogan shapes: [String: [Int]]) {
        // The generator's linear layer makes 128 channels of a quarter of the image's side.
        guard let shape = shapes["G.l1.0.weight"], shape.count == 2,
            let side = Self.side(shape[0], channels: 128)
        else { return nil }
        var configuration = FAnoGANConfiguration()
        configuration.latent = shape[1]
        configuration.imageSize = side * 4
        (method, network, imageSize) = (.fanogan, .fanogan(configuration), side * 4)
    }

    private init?(unet shapes: [String: [Int]], headChannels: Int) {
        guard let channels = shapes["input_blocks.0.0.weight"]?.first, channels > 0,
            let (levels, blocks) = Self.depth(shapes)
        else { return nil }
        let multipliers = (0..<levels).map { level in
            Self.outputs(of: "input_blocks.\(1 + level * (blocks + 1)).0", shapes).map { $0 / channels } ?? 0
        }
        if shapes.keys.contains(where: { $0.hasPrefix("time_embed.") }) {
            var configuration = UNetConfiguration()
            configuration.channels = channels
            configuration.multipliers = multipliers
            configuration.residualBlocks = blocks
            configuration.headChannels = headChannels
            configuration.attentionLevels = Self.attentionLevels(levels, blocks, shapes)
            let outputs = Self.outputs(of: "input_blocks.1.0", shapes)
            let isAdded = shapes["input_blocks.1.0.emb_layers.1.weight"]?.first == outputs
            configuration.conditioning = isAdded ? .added : .scaleShift
            (method, network) = (isAdded ? .ddpm : .pddpm, .unet(configuration))
            imageSize = Self.window(of: configuration)
            return
        }
        var configuration = AutoencoderConfiguration()
        configuration.channels = channels
        configuration.multipliers = multipliers
        configuration.residualBlocks = blocks
        configuration.headChannels = headChannels
        configuration.attentionLevels = Self.attentionLevels(levels, blocks, shapes)
        let lowest = channels * (multipliers.last ?? 1)
        if let rows = shapes["fc_dec.weight"]?.first, let latent = shapes["fc_mu.weight"]?.first,
            let side = Self.side(rows, channels: lowest)
        {
            var bottleneck = AutoencoderConfiguration.Bottleneck()
            bottleneck.latent = latent
            bottleneck.imageSize = side << (levels - 1)
            configuration.variational = bottleneck
        }
        let size = configuration.variational?.imageSize
        (method, network) = (size == nil ? .ae : .vae, .autoencoder(configuration))
        imageSize = size ?? Self.window(of: configuration)
    }

    /// How wide and deep a network of the U-Net family is; `nil` for f-AnoGAN.
    package var size: (any FamilySize)? {
        switch network {
        case .unet(let size): size
        case .autoencoder(let size): size
        case .fanogan: nil
        }
    }

    /// Levels whose first block on the way down is followed by attention.
    private static func attentionLevels(_ levels: Int, _ blocks: Int, _ shapes: [String: [Int]]) -> [Int] {
        (0..<levels).filter { shapes["input_blocks.\(1 + $0 * (blocks + 1)).1.qkv.weight"] != nil }
    }

    /// The only window that has attention at these levels; `nil` where none or several have.
    private static func window(of size: some FamilySize) -> Int? {
        guard !size.attentionLevels.isEmpty else { return nil }
        let fitting = (3...10).map { 1 << $0 }.filter {
            size.publishedAttentionLevels(window: $0) == size.attentionLevels
        }
        return fitting.count == 1 ? fitting[0] : nil
    }

    /// Levels and residual blocks a level.
    ///
    /// On the way up, the last block of each level but the highest is followed by the
    /// one that doubles the resolution, and there is one block more a level than on the way down.
    private static func depth(_ shapes: [String: [Int]]) -> (levels: Int, blocks: Int)? {
        let up = shapes.keys.filter { $0.hasPrefix("output_blocks.") }
        let indices = up.compactMap { $0.split(separator: ".").dropFirst().first.flatMap { Int($0) } }
        // More blocks than any network has would only make the search below long.
        guard let last = indices.max(), last < 1000 else { return nil }
        // Behind a block comes its attention, if it has one.
        let doubling =
            (0...last).first { block in
                [1, 2].contains { shapes["output_blocks.\(block).\($0).in_layers.2.weight"] != nil }
            } ?? last
        let levels = (last + 1) / (doubling + 1)
        return doubling > 0 ? (levels, doubling) : nil
    }

    /// Channels that a residual block makes, from whichever of its tensors is there.
    private static func outputs(of block: String, _ shapes: [String: [Int]]) -> Int? {
        let tensors = ["in_layers.2.weight", "in_layers.2.bias", "out_layers.3.weight", "out_layers.3.bias"]
        return tensors.lazy.compactMap { shapes["\(block).\($0)"]?.first }.first
    }

    /// The side of a square image with so many values.
    private static func side(_ values: Int, channels: Int) -> Int? {
        guard channels > 0, values > 0, values % channels == 0, values / channels <= 1 << 20 else {
            return nil
        }
        let side = Int(Double(values / channels).squareRoot().rounded())
        return side * side * channels == values ? side : nil
    }
}
