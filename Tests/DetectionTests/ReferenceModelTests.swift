import Foundation
import Networks
import Plate
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Detection
@testable import Diffusion
@testable import Verdict

struct ReferenceModelTests {
    /// A model of one block and 32 channels with random weights.
    static func model(_ method: Method, window: Int = 32, overlap: Double = 0.5) -> Model {
        let settings = settings(method, window: window, overlap: overlap)
        var random = SplitMix64(state: 3)
        let network = ReferenceNetwork(settings.network, using: &random).network
        let weights = network.parameters.map { ($0.name, $0.variable.value) }
        let description = ModelDescription(
            method: method,
            reference: settings,
            residual: .l1,
            training: ModelDescription.Provenance(
                command: "autoqc train",
                steps: 1,
                seed: 1,
                frames: 1,
                validationLoss: nil
            )
        )
        return Model(description: description, weights: Dictionary(uniqueKeysWithValues: weights))
    }

    static func settings(_ method: Method, window: Int = 32, overlap: Double = 0.5) -> ReferenceSettings {
        var settings = ReferenceSettings(published: method)
        (settings.window, settings.overlap) = (window, overlap)
        settings.patch = method == .pddpm ? window / 2 : window
        switch settings.network {
        case .unet(var configuration):
            (configuration.channels, configuration.multipliers) = (32, [1, 1])
            (configuration.residualBlocks, configuration.headChannels) = (1, 32)
            settings.network = .unet(configuration)
        case .autoencoder(var configuration):
            (configuration.channels, configuration.multipliers) = (32, [1, 1])
            (configuration.residualBlocks, configuration.headChannels) = (1, 32)
            configuration.variational?.imageSize = window
            configuration.variational?.latent = 8
            settings.network = .autoencoder(configuration)
        case .fanogan(var configuration):
            (configuration.imageSize, configuration.latent) = (window, 8)
            settings.network = .fanogan(configuration)
        }
        return settings
    }

    @Test(arguments: Method.allCases) func aFileHoldsAModelOfEveryMethod(method: Method) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "m.safetensors").path
            let written = Self.model(method)
            try written.write(path: path)
            let (read, _) = try Model.read(path: path)
            #expect(read.description == written.description)
            let frame = Frame(height: 40, width: 50, pixels: randomValues(2000, seed: 1, in: 0...255))
            let scorer = try FrameScorer(model: read, path: path)
            var last: ReconstructionProgress?
            let reconstruction = scorer.reconstruction(of: frame) { last = $0 }
            #expect((reconstruction.height, reconstruction.width) == (40, 50))
            #expect(reconstruction.input.min() == 0 && reconstruction.input.max() == 1)
            #expect(reconstruction.output.allSatisfy { $0.isFinite })
            #expect(scorer.passesPerFrame(height: 40, width: 50) == (method == .pddpm ? 24 : 6))
            #expect(last?.done == scorer.passesPerFrame(height: 40, width: 50))
            #expect(scorer.map(of: frame) == scorer.map(of: reconstruction))
        }
    }

    @Test func framesSmallerThanTheWindowAreReconstructed() throws {
        let scorer = try FrameScorer(model: Self.model(.ae), path: "test")
        let frame = Frame(height: 9, width: 21, pixels: randomValues(189, seed: 2, in: 0...255))
        let reconstruction = scorer.reconstruction(of: frame)
        #expect(reconstruction.output.count == 189)
        #expect(scorer.passesPerFrame(height: 9, width: 21) == 1)
    }

    @Test func settingsThatCannotBeBuiltAreRefusedInWords() throws {
        let refusal = { (method: Method, change: (inout ReferenceSettings) -> Void) in
            var settings = Self.settings(method)
            change(&settings)
            var model = Self.model(method)
            model.description.profile = .reference(settings)
            let error = #expect(throws: ModelError.self) { try FrameScorer(model: model, path: "m") }
            return error?.description ?? ""
        }
        #expect(refusal(.pddpm) { $0.overlap = 1 }.contains("overlap"))
        #expect(refusal(.pddpm) { $0.overlap = .nan }.contains("overlap"))
        #expect(refusal(.pddpm) { $0.window = 33 }.contains("multiple"))
        #expect(refusal(.pddpm) { $0.window = 1 << 40 }.contains("window"))
        #expect(refusal(.pddpm) { $0.patch = 12 }.contains("patches"))
        #expect(refusal(.ddpm) { $0.patch = 16 }.contains("patches"))
        #expect(refusal(.pddpm) { $0.timestep = $0.steps }.contains("timestep"))
        #expect(refusal(.vae) { $0.window = 64 }.contains("images of 32"))
        #expect(refusal(.fanogan) { $0.network = .unet(UNetConfiguration()) }.contains("fanogan"))
        #expect(refusal(.ae) { $0.flowTimeStep = 9 }.contains("smooths"))
        var wide = UNetConfiguration()
        wide.channels = 1024
        #expect(refusal(.pddpm) { $0.network = .unet(wide) }.contains("too few"))
        wide.channels = 33
        #expect(refusal(.pddpm) { $0.network = .unet(wide) }.contains("33 channels"))
        (wide.channels, wide.multipliers) = (32, [1 << 40])
        #expect(refusal(.pddpm) { $0.network = .unet(wide) }.contains("multipliers"))
    }

    @Test func theRealtimeProfileKnowsPDDPMOnly() throws {
        let phases = try #require(PatchPhases(patch: 16, count: 2))
        let settings = RealtimeSettings(
            architecture: .standard,
            normalisation: try #require(Normalisation(background: 100, reach: 50)),
            diffusion: try #require(
                PatchedDiffusion(timestep: 20, noise: .simplex, noiseSeed: 5, phases: phases)
            )
        )
        var description = ModelDescription(
            realtime: settings,
            residual: .l1,
            training: Self.model(.ae).description.training
        )
        #expect(description.fault == nil)
        description.method = .ae
        #expect(description.fault?.contains("pddpm only") == true)
    }

    @Test func watchingNeedsARealtimeModel() throws {
        var model = Self.model(.ae)
        model.description.calibration = Calibration(
            scoreKind: .patch,
            maskWindow: 1,
            image: Calibration.imageLimits(
                normalScores: [0.1, 0.2, 0.3],
                onsets: [0.1, 0.2, 0.2],
                falseAlarmRate: 0.3,
                maskRate: 0.3
            )
        )
        let detector = try Detector(model: model, name: "test", path: "test")
        let error = #expect(throws: ModelError.self) { try detector.description.requireRealtime(path: "m") }
        #expect(error?.code == .notRealtime)
        #expect(error?.description.contains("--profile realtime") == true)
    }
}
