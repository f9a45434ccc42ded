import Checkpoints
import Detection
import Diffusion
import Networks
import Tensors
import TestSupport
import Testing

struct PublishedConfigurationTests {
    /// Entries as the published trainer writes them, of a network that a test can build.
    private static let entries: [String: HyperParameters.Value] = [
        "name": .text("DDPM_patched_2D"), "imageDim": .list([.integer(96), .integer(96), .integer(1)]),
        "patch_size": .integer(32), "timesteps": .integer(500), "test_timesteps": .integer(20),
        "noisetype": .text("gaussian"), "objective": .text("pred_x0"), "residualmode": .text("l1"),
        "unet_dim": .integer(32), "dim_mults": .list([.integer(1), .integer(2), .integer(2)]),
        "num_res_blocks": .integer(1),
    ]

    private static func shapes(attention: [Int] = [], channels: Int = 32) -> [String: [Int]] {
        var configuration = UNetConfiguration()
        (configuration.channels, configuration.residualBlocks) = (channels, 1)
        (configuration.headChannels, configuration.attentionLevels) = (32, attention)
        var random = ZeroGenerator()
        return UNet(configuration, using: &random).published.mapValues(\.shape)
    }

    private func model(
        _ changes: [String: HyperParameters.Value] = [:],
        without missing: [String] = [],
        shapes: [String: [Int]] = Self.shapes(),
        options: PublishedModel.Options = PublishedModel.Options()
    ) throws -> PublishedModel {
        let entries = Self.entries.merging(changes) { $1 }.filter { !missing.contains($0.key) }
        return try PublishedModel(
            shapes: shapes,
            configuration: PublishedConfiguration(HyperParameters(entries)),
            options: options,
            path: "made up",
            name: "made up"
        )
    }

    @Test func whatTheTrainerWroteIsUsed() throws {
        let model = try model()
        let settings = try #require(model.description.reference)
        #expect(model.description.method == .pddpm && model.description.residual == .l1)
        #expect((settings.window, settings.patch) == (96, 32))
        #expect((settings.steps, settings.timestep, settings.noise) == (500, 19, .gaussian))
        #expect(model.assumed == ["--head-channels 64"])
    }

    @Test func whatNothingTellsIsNamedWithItsPublishedValue() throws {
        let model = try model(without: ["imageDim", "patch_size", "test_timesteps", "noisetype"])
        let settings = try #require(model.description.reference)
        #expect(
            model.assumed == [
                "--head-channels 64", "--window 192", "--patch 96", "--timestep 49", "--noise simplex",
            ]
        )
        #expect((settings.window, settings.patch, settings.timestep) == (192, 96, 49))
    }

    @Test func optionsGoBeforeHyperParameters() throws {
        var options = PublishedModel.Options()
        (options.window, options.timestep, options.noise) = (192, 99, .coarse)
        (options.residual, options.headChannels) = (.l1DSSIM, 32)
        let model = try model(
            ["noisetype": .text("pink"), "test_timesteps": .text("many")],
            options: options
        )
        let settings = try #require(model.description.reference)
        // The patch of the hyper-parameters was one of their window.
        #expect((settings.window, settings.patch) == (192, 96))
        #expect((settings.timestep, settings.noise) == (99, .coarse))
        #expect(model.description.residual == .l1DSSIM)
        #expect(model.assumed == ["--patch 96"])
    }

    @Test(
        arguments: [
            ("unet_dim", .integer(64), "unet_dim is 64, and the weights are of 32 channels"),
            ("num_res_blocks", .integer(3), "num_res_blocks is 3, and the weights are of 1 blocks a level"),
            ("dim_mults", .list([.integer(1), .integer(2)]), "dim_mults is [1, 2]"),
            ("name", .text("DDPM_2D"), "the method is ddpm, and the weights are of pddpm"),
            (
                "imageDim", .list([.integer(64), .integer(64)]),
                "imageDim is 64, which takes attention at level 1, 2, and the weights have it at no level"
            ),
            ("objective", .text("pred_noise"), "only networks that predict the clean image (pred_x0)"),
            ("imageDim", .list([.integer(96), .integer(64)]), "only square windows"),
            ("imageDim", .integer(96), "no list of two or three whole numbers"),
            ("patch_size", .text("a\u{1B}[2J"), "patch_size is 'a?[2J'"),
            ("test_timesteps", .integer(0), "test_timesteps is 0"),
            ("unet_dim", .real(.nan), "unet_dim is nan"),
            ("noisetype", .text("pink"), "simplex, gaussian and coarse"),
        ] as [(String, HyperParameters.Value, String)]
    )
    func contradictionsAreRefusedByName(entry: String, value: HyperParameters.Value, words: String) throws {
        let error = #expect(throws: ModelError.self) { try model([entry: value]) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    /// The published system gives windows of 32, 64 and 128 attention that those of 96 and 192 have not.
    @Test(arguments: [(32, [0, 1, 2]), (64, [1, 2]), (128, [2]), (96, []), (192, [])] as [(Int, [Int])])
    func theWindowsAttentionIsKnownAgainFromTheWeights(window: Int, levels: [Int]) throws {
        #expect(UNetConfiguration().publishedAttentionLevels(window: window) == levels)
        let shapes = Self.shapes(attention: levels)
        let found = try #require(PublishedNetwork(shapes: shapes, headChannels: 32))
        #expect(found.size?.attentionLevels == levels)
        #expect(found.imageSize == (levels.isEmpty ? nil : window))
        var options = PublishedModel.Options()
        options.headChannels = 32
        let said = HyperParameters.Value.list([.integer(window), .integer(window), .integer(1)])
        let model = try model(["imageDim": said], shapes: shapes, options: options)
        guard case .unet(let configuration)? = model.description.reference?.network else {
            return #expect(Bool(false), "no U-Net")
        }
        var random = ZeroGenerator()
        #expect(UNet(configuration, using: &random).published.mapValues(\.shape) == shapes)
    }

    @Test func attentionTellsTheWindowWhereNothingElseDoes() throws {
        let model = try model(without: ["imageDim", "patch_size"], shapes: Self.shapes(attention: [1, 2]))
        #expect(model.description.reference?.window == 64)
        #expect(model.assumed == ["--head-channels 64", "--patch 32"])
    }

    @Test func aPartOfFAnoGANAloneIsNamed() throws {
        let error = #expect(throws: ModelError.self) {
            try model(shapes: ["l1.0.weight": [128 * 24 * 24, 64], "conv_blocks.9.bias": [1]])
        }
        #expect(error?.description.contains("one of the three files of an f-AnoGAN") == true)
    }
}
