import Detection
import Diffusion
import Foundation
import Frames
import Networks
import Plate
import Tensors
import TestSupport
import Testing

@testable import Training

struct ReferenceTrainerTests {
    /// One block, 32 channels, windows of 32.
    static func options(_ method: Method, steps: Int, frames: Int = 4) -> ReferenceTraining {
        var settings = ReferenceSettings(published: method)
        settings.window = 32
        settings.patch = method == .pddpm ? 16 : 32
        settings.overlap = 0
        switch settings.network {
        case .unet(var configuration):
            (configuration.channels, configuration.multipliers) = (32, [1, 1])
            (configuration.residualBlocks, configuration.headChannels) = (1, 32)
            settings.network = .unet(configuration)
        case .autoencoder(var configuration):
            (configuration.channels, configuration.multipliers) = (32, [1, 1])
            (configuration.residualBlocks, configuration.headChannels) = (1, 32)
            configuration.variational?.imageSize = 32
            configuration.variational?.latent = 8
            settings.network = .autoencoder(configuration)
        case .fanogan(var configuration):
            (configuration.imageSize, configuration.latent) = (32, 8)
            settings.network = .fanogan(configuration)
        }
        var options = ReferenceTraining(
            method: method,
            settings: settings,
            frames: frames,
            steps: steps,
            batch: 2
        )
        options.learningRate = 1e-3
        options.validationInterval = 5
        return options
    }

    private func weights(_ model: Model) -> [String: [Float]] { model.weights.mapValues(\.values) }

    @Test(arguments: [Method.pddpm, .ddpm, .ae, .vae]) func learnsAndScores(method: Method) async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(4, to: folder))
            let trainer = try Trainers.start(Self.options(method, steps: 15), frames: frames)
            try trainer.run(report: { _ in }, shouldStop: { false })
            #expect(trainer.step == 15 && trainer.steps == 15)
            let losses = trainer.history.compactMap(\.validationLoss)
            #expect(losses.count == 3)
            #expect(try #require(losses.min()) < losses[0])
            let model = trainer.model(command: "test")
            #expect(model.description.method == method)
            #expect(model.description.training.validationLoss == losses.min())
            let scorer = try FrameScorer(model: model, path: "test")
            let map = scorer.map(of: TinyFrames.frame(seed: 50, height: 40, width: 48))
            #expect(map.values.allSatisfy { $0.isFinite && $0 >= 0 })
        }
    }

    @Test(arguments: [Method.pddpm, .vae])
    func aResumedTrainingIsTheUninterruptedOne(method: Method) async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(3, to: folder))
            let options = Self.options(method, steps: 6, frames: 3)
            let whole = try Trainers.start(options, frames: frames)
            try whole.run(report: { _ in }, shouldStop: { false })
            let checkpoint = folder.appending(path: "m.checkpoint").path
            let first = try Trainers.start(options, frames: frames)
            try first.run(report: { _ in }, shouldStop: { first.step >= 4 })
            try first.writeCheckpoint(path: checkpoint)
            let second = try Trainers.resume(checkpoint, frames: frames)
            #expect(second.step == 4)
            try second.run(report: { _ in }, shouldStop: { false })
            #expect(weights(second.model(command: "")) == weights(whole.model(command: "")))
            #expect(second.history == whole.history)
        }
    }

    @Test func theModelHasTheWeightsOfTheLeastValidationLoss() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(4, to: folder))
            var options = Self.options(.ae, steps: 6)
            options.validationInterval = 1
            // Steps so long that some make it worse.
            options.learningRate = 0.5
            let trainer = try Trainers.start(options, frames: frames)
            var best = Float.infinity
            var kept = weights(trainer.model(command: ""))
            var worse = 0
            try trainer.run(
                report: { progress in
                    let loss = try #require(progress.validationLoss)
                    let model = weights(trainer.model(command: ""))
                    #expect((model != kept) == (loss < best), "step \(progress.step)")
                    if loss >= best { worse += 1 }
                    (best, kept) = (min(best, loss), model)
                },
                shouldStop: { false }
            )
            #expect(worse > 0, "no step was worse than the ones before it")
        }
    }

    @Test func cropsOfAnEpochShowEveryFrameOnce() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(5, to: folder))
            let crops = CropSet(frames: frames, settings: Self.options(.ae, steps: 1).settings)
            #expect(crops.stepsPerEpoch(batch: 2) == 3)
            let all = try (0..<5).map { try crops.crop($0) }
            func epoch(_ number: Int) throws -> [[Float]] {
                let pixels = try (0..<3).flatMap {
                    try crops.batch(step: number * 3 + $0, count: 2, seed: 1)
                }
                return stride(from: 0, to: pixels.count, by: 1024).map { Array(pixels[$0..<$0 + 1024]) }
            }
            #expect(try Set(epoch(0)) == Set(all))
            #expect(try Set(epoch(1)) == Set(all))
            #expect(try epoch(0) != epoch(1))
            let expected = CurvatureFlow().smoothed(try frames.frame(2)).rescaledToUnitRange().centreCrop(32)
            #expect(all[2] == expected.pixels)
        }
    }

    @Test func absurdTrainingsAreRefused() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(2, to: folder))
            var options = Self.options(.pddpm, steps: 2)
            options.settings.overlap = 1
            let overlap = #expect(throws: DataError.self) { try Trainers.start(options, frames: frames) }
            #expect(overlap?.description.contains("overlap") == true)
            options = Self.options(.pddpm, steps: 2)
            options.learningRate = .nan
            #expect(throws: DataError.self) { try Trainers.start(options, frames: frames) }
        }
    }

    @Test func thePublishedTrainingIsTheDefault() {
        let options = ReferenceTraining(
            method: .pddpm,
            settings: ReferenceSettings(published: .pddpm),
            frames: 8233
        )
        #expect(options.fault == nil)
        #expect((options.batch, options.learningRate) == (8, 1e-4))
        #expect(options.steps == 300 * 1030 && options.validationInterval == 1030)
        #expect((options.settings.window, options.settings.patch, options.settings.timestep) == (192, 96, 49))
        for method in Method.allCases {
            #expect(ReferenceSettings(published: method).fault(method: method) == nil)
        }
    }
}
