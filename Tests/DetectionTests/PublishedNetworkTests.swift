import Detection
import Diffusion
import Foundation
import Networks
import Tensors
import TestSupport
import Testing

@Suite(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
struct PublishedNetworkTests {
    private func shapes(_ name: String) throws -> [String: [Int]] {
        let folder = try #require(TestData.fixtures)
        return try SafeTensors(path: folder.appending(path: "\(name).safetensors").path).tensors
            .mapValues(\.shape)
    }

    @Test func theUNetIsRecognised() throws {
        let expected = try ExpectedValues()
        let heads = Int(try expected.number("unet_small", "config", "num_head_channels"))
        let found = PublishedNetwork(shapes: try shapes("unet_small.weights"), headChannels: heads)
        var configuration = UNetConfiguration()
        configuration.channels = Int(try expected.number("unet_small", "config", "model_channels"))
        configuration.residualBlocks = Int(try expected.number("unet_small", "config", "num_res_blocks"))
        configuration.multipliers = try expected.numbers("unet_small", "config", "channel_mult").map {
            Int($0)
        }
        configuration.headChannels = heads
        // Given as the factors by which a level is smaller.
        let factors = try expected.numbers("unet_small", "config", "attention_resolutions")
        configuration.attentionLevels = configuration.multipliers.indices.filter {
            factors.contains(Double(1 << $0))
        }
        #expect(found?.method == .pddpm)
        #expect(found?.network == .unet(configuration))
    }

    @Test func anAddedEmbeddingIsOfTheDDPM() throws {
        var shapes = try shapes("unet_small.weights")
        for (name, shape) in shapes where name.contains(".emb_layers.") {
            shapes[name] = [shape[0] / 2] + shape.dropFirst()
        }
        #expect(PublishedNetwork(shapes: shapes, headChannels: 32)?.method == .ddpm)
    }

    @Test func autoencodersAreToldApart() throws {
        #expect(PublishedNetwork(shapes: try shapes("ae_small"), headChannels: 32)?.method == .ae)
        let shapes = try shapes("vae_small")
        let found = try #require(PublishedNetwork(shapes: shapes, headChannels: 32))
        #expect(found.method == .vae)
        #expect(found.imageSize == shapes["io.x"]?.last)
        guard case .autoencoder(let configuration) = found.network else { return #expect(Bool(false)) }
        #expect(configuration.variational?.latent == shapes["io.mu"]?.last)
    }

    @Test func fAnoGANIsRecognised() throws {
        let found = try #require(PublishedNetwork(shapes: try shapes("fanogan_small"), headChannels: 64))
        var configuration = FAnoGANConfiguration()
        configuration.imageSize = Int(try ExpectedValues().number("fanogan_small", "img_size"))
        configuration.latent = Int(try ExpectedValues().number("fanogan_small", "latent_dim"))
        #expect(found == PublishedNetwork(shapes: try shapes("fanogan_small"), headChannels: 64))
        #expect(found.network == .fanogan(configuration))
        #expect(found.imageSize == configuration.imageSize)
    }

    @Test func otherNetworksAreNot() {
        let others: [[String: [Int]]] = [
            [:], ["conv1.weight": [64, 3, 7, 7]], ["G.l1.0.weight": [7, 3]], ["input_blocks.0.0.weight": []],
            ["input_blocks.0.0.weight": [0, 1, 3, 3], "output_blocks.1.0.x": [1]],
            ["input_blocks.0.0.weight": [32, 1, 3, 3], "output_blocks.999999999.0.x": [1]],
        ]
        for shapes in others { #expect(PublishedNetwork(shapes: shapes, headChannels: 64) == nil) }
    }
}
