import Networks
import Tensors
import TestSupport

/// Networks with the weights and sizes of the golden values.
enum GoldenNetworks {
    /// The weights of a file, under their published names.
    static func weights(_ fixture: Fixture) throws -> [String: Tensor] {
        let names = fixture.names.filter { !$0.hasPrefix("io.") }
        return Dictionary(
            uniqueKeysWithValues: try names.map { name in
                let found = try fixture.floats(name)
                return (name, Tensor(found.values, shape: found.shape))
            }
        )
    }

    /// A batch of one-channel images: N x 1 x H x W is N x H x W x 1 in memory.
    static func images(_ fixture: Fixture, _ name: String) throws -> Tensor {
        let found = try fixture.floats(name)
        return Tensor(found.values, shape: [found.shape[0], found.shape[2], found.shape[3], 1])
    }

    /// The U-Net of `unet_small`.
    static func unet() throws -> UNet {
        let expected = try ExpectedValues()
        func number(_ key: String) throws -> Int { Int(try expected.number("unet_small", "config", key)) }
        var configuration = UNetConfiguration()
        configuration.channels = try number("model_channels")
        configuration.multipliers = try expected.numbers("unet_small", "config", "channel_mult").map {
            Int($0)
        }
        configuration.residualBlocks = try number("num_res_blocks")
        configuration.headChannels = try number("num_head_channels")
        // Given as the factors by which a level is smaller.
        let factors = try expected.numbers("unet_small", "config", "attention_resolutions")
        configuration.attentionLevels = configuration.multipliers.indices.filter {
            factors.contains(Double(1 << $0))
        }
        configuration.conditioning = try number("use_scale_shift_norm") == 0 ? .added : .scaleShift
        var random = TestGenerator(seed: 1)
        let network = UNet(configuration, using: &random)
        let faults = network.load(published: try weights(try Fixture("unet_small.weights")))
        guard faults.isEmpty else { throw Fixture.Failure(description: faults.joined(separator: "; ")) }
        return network
    }

    /// The autoencoder of `ae_small` or `vae_small`, of the sizes that its weights have and heads as wide as those of
    /// `unet_small`, since weights do not show that.
    static func autoencoder(_ fixture: Fixture) throws -> Autoencoder {
        let weights = try weights(fixture)
        func width(_ name: String) -> Int? { weights["\(name).bias"]?.count }
        var configuration = AutoencoderConfiguration()
        configuration.headChannels = Int(
            try ExpectedValues().number("unet_small", "config", "num_head_channels")
        )
        configuration.channels = try width("input_blocks.0.0").orMissing("the stem")
        // A halving changes no width and comes after each level's blocks: levels show as ups on the way back.
        let blocks = (1...).prefix { width("input_blocks.\($0).0.in_layers.2") != nil }.count
        let levels = (0..<blocks + 1).filter { width("output_blocks.\($0).1.in_layers.2") != nil }.count + 1
        configuration.residualBlocks = (blocks - (levels - 1)) / levels
        configuration.multipliers = try (0..<levels).map { level in
            let last = level * (configuration.residualBlocks + 1) + configuration.residualBlocks
            return try width("input_blocks.\(last).0.in_layers.2").orMissing("level \(level)")
                / configuration.channels
        }
        if let latent = width("fc_mu") {
            var bottleneck = AutoencoderConfiguration.Bottleneck()
            bottleneck.latent = latent
            bottleneck.imageSize = try fixture.floats("io.x").shape[2]
            configuration.variational = bottleneck
        }
        var random = TestGenerator(seed: 1)
        let network = Autoencoder(configuration, using: &random)
        let faults = network.load(published: weights)
        guard faults.isEmpty else { throw Fixture.Failure(description: faults.joined(separator: "; ")) }
        return network
    }
}

extension Optional {
    /// The value, or a failure that names what the golden values lack.
    fileprivate func orMissing(_ what: String) throws -> Wrapped {
        guard let self else { throw Fixture.Failure(description: "the golden weights lack \(what)") }
        return self
    }
}
