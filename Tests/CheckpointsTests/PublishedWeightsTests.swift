import Checkpoints
import Tensors
import Testing

struct PublishedWeightsTests {
    private func checkpoint(_ values: [String: Float]) throws -> Checkpoint {
        let tensors = values.mapValues { Tensor([$0], shape: [1]) }
        let bytes = [UInt8](try SafeTensors(tensors: tensors).encoded())
        return try Checkpoint(bytes: bytes, path: "made up")
    }

    @Test(arguments: [
        ("diffusion.model.out.2.bias", "out.2.bias"), ("model.out.2.bias", "out.2.bias"),
        ("net.out.2.bias", "out.2.bias"), ("module.model.out.2.bias", "out.2.bias"),
        ("out.2.bias", "out.2.bias"),
        ("G.l1.0.weight", "G.l1.0.weight"), ("model.generator.l1.0.weight", "G.l1.0.weight"),
        ("discriminator.model.0.bias", "D.model.0.bias"), ("encoder.model.0.bias", "E.model.0.bias"),
    ])
    func namesLoseWhatTrainingCodePutsAround(name: String, published: String) throws {
        let weights = try PublishedWeights(try checkpoint([name: 1]), path: "made up")
        #expect(weights.tensors.keys.sorted() == [published])
        #expect(weights.skipped.isEmpty)
    }

    @Test func whatNoNetworkNeedsIsSkippedAndNamed() throws {
        let file = try checkpoint([
            "diffusion.betas": .infinity, "diffusion.posterior_log_variance_clipped": .nan,
            "G.conv_blocks.0.num_batches_tracked": 7, "lpips.scale": 1, "diffusion.model.out.2.bias": 1,
        ])
        let weights = try PublishedWeights(file, path: "made up", leaving: ["lpips."])
        #expect(weights.tensors.keys.sorted() == ["out.2.bias"])
        let skipped = [
            "G.conv_blocks.0.num_batches_tracked", "diffusion.betas",
            "diffusion.posterior_log_variance_clipped",
            "lpips.scale",
        ]
        #expect(weights.skipped == skipped)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func weightsThatAreNotFiniteAreRefusedByName(value: Float) throws {
        let file = try checkpoint(["model.a": 1, "model.b": value])
        let error = #expect(throws: CheckpointError.self) { try PublishedWeights(file, path: "made up") }
        #expect(error?.code == .notFinite)
        #expect(error?.description.contains("value 0 of model.b") == true)
    }

    @Test func twoTensorsForOneWeightAreRefused() throws {
        let file = try checkpoint(["model.a": 1, "net.a": 2])
        let error = #expect(throws: CheckpointError.self) { try PublishedWeights(file, path: "made up") }
        #expect(error?.description.contains("model.a and net.a") == true)
        #expect(try PublishedWeights(file, path: "made up", leaving: ["net."]).tensors["a"]?.values == [1])
    }

    /// A checkpoint with one weight of so many rows.
    private func part(_ name: String, rows: Int) throws -> Checkpoint {
        let tensors = [
            name: Tensor(repeating: 1, shape: [rows, 2]), "model.0.bias": Tensor([1], shape: [1]),
        ]
        return try Checkpoint(bytes: [UInt8](try SafeTensors(tensors: tensors).encoded()), path: "made up")
    }

    @Test func thePartsOfAnFAnoGANAreToldApartByTheirWeights() throws {
        let parts = [
            (try part("adv_layer.0.weight", rows: 5), "a"), (try part("l1.0.weight", rows: 7), "b"),
            (try part("adv_layer.0.weight", rows: 1), "c"),
        ]
        let names = [
            "D.adv_layer.0.weight", "D.model.0.bias", "E.adv_layer.0.weight", "E.model.0.bias",
            "G.l1.0.weight",
            "G.model.0.bias",
        ]
        for parts in [parts, parts.reversed()] {
            let weights = try PublishedWeights(fanogan: parts)
            #expect(weights.tensors.keys.sorted() == names)
            #expect(weights.tensors["E.adv_layer.0.weight"]?.shape == [5, 2])
        }
        let twice = #expect(throws: CheckpointError.self) {
            try PublishedWeights(fanogan: [parts[0], parts[1], parts[0]])
        }
        #expect(twice?.description.contains("a: holds the encoder of an f-AnoGAN, and so does a") == true)
        let other = #expect(throws: CheckpointError.self) {
            try PublishedWeights(fanogan: [(try checkpoint(["x": 1]), "odd")])
        }
        #expect(
            other?.description.contains("odd: holds neither generator, discriminator nor encoder") == true
        )
    }
}
