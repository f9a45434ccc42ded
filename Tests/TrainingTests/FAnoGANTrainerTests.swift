import Detection
import Diffusion
import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Training

struct FAnoGANTrainerTests {
    private func options(steps: Int, seed: UInt64 = 5) -> ReferenceTraining {
        var configuration = FAnoGANConfiguration()
        (configuration.imageSize, configuration.latent) = (32, 6)
        var settings = ReferenceSettings(published: .fanogan)
        settings.network = .fanogan(configuration)
        (settings.window, settings.patch, settings.flowIterations) = (32, 32, 0)
        var options = ReferenceTraining(
            method: .fanogan,
            settings: settings,
            frames: 8,
            steps: steps,
            batch: 4
        )
        options.seed = seed
        options.validationInterval = 5
        return options
    }

    private func frames(_ folder: URL, _ count: Int = 8) throws -> FrameSet {
        try FrameSet(paths: try TinyFrames.write(count, to: folder))
    }

    private func train(_ trainer: FAnoGANTrainer, until step: Int = .max) throws {
        try trainer.run(report: { _ in }, shouldStop: { trainer.step >= step })
    }

    private func weights(_ trainer: FAnoGANTrainer) -> [String: [Float]] {
        trainer.model(command: "test").weights.mapValues(\.values)
    }

    @Test func criticAndEncoderLearn() async throws {
        try await withTemporaryFolder { folder in
            var options = options(steps: 80)
            // Faster than published, for a test of seconds.
            options.learningRate = 2e-3
            let trainer = try FAnoGANTrainer(options: options, frames: try frames(folder))
            try train(trainer)
            let losses = trainer.history.map(\.loss)
            #expect(losses.count == 16)
            // Later the generator catches up, and the discriminator's loss rises again.
            #expect(losses[3] < losses[0])
            #expect(losses[15] < losses[8])
            let validation = trainer.history.map(\.validationLoss)
            #expect(validation.prefix(8).allSatisfy { $0 == nil })
            #expect(validation.suffix(8).allSatisfy { $0 != nil })
            let description = trainer.model(command: "test").description
            #expect(description.method == .fanogan)
            #expect(description.training.validationLoss == validation.compactMap(\.self).min())
            #expect(description.reference == options.settings)
        }
    }

    @Test func theSameSeedGivesTheSameModelAndAnotherSeedAnother() async throws {
        try await withTemporaryFolder { folder in
            let frames = try frames(folder)
            let trainers = try [5, 5, 6].map {
                try FAnoGANTrainer(options: options(steps: 6, seed: $0), frames: frames)
            }
            for trainer in trainers { try train(trainer) }
            #expect(weights(trainers[0]) == weights(trainers[1]))
            #expect(weights(trainers[0]) != weights(trainers[2]))
        }
    }

    @Test(arguments: [3, 8])
    func aResumedTrainingIsTheUninterruptedOne(stop: Int) async throws {
        try await withTemporaryFolder { folder in
            let frames = try frames(folder)
            let whole = try FAnoGANTrainer(options: options(steps: 12), frames: frames)
            try train(whole)
            let checkpoint = folder.appending(path: "m.checkpoint").path
            let first = try FAnoGANTrainer(options: options(steps: 12), frames: frames)
            try train(first, until: stop)
            try first.writeCheckpoint(path: checkpoint)
            let resumed = try Trainers.resume(checkpoint, frames: frames)
            let second = try #require(resumed as? FAnoGANTrainer)
            #expect(second.step == stop)
            try train(second)
            #expect(weights(second) == weights(whole))
            #expect(second.history == whole.history)
        }
    }

    @Test func damagedCheckpointsOtherFramesAndTooSmallWindowsAreRefused() async throws {
        try await withTemporaryFolder { folder in
            let frames = try frames(folder)
            let trainer = try FAnoGANTrainer(options: options(steps: 4), frames: frames)
            let checkpoint = folder.appending(path: "m.checkpoint").path
            try trainer.writeCheckpoint(path: checkpoint)
            let fewer = try self.frames(folder, 5)
            #expect(throws: DataError.self) {
                try FAnoGANTrainer(resuming: checkpoint, steps: nil, frames: fewer)
            }
            let others = folder.appending(path: "others")
            try FileManager.default.createDirectory(at: others, withIntermediateDirectories: true)
            let renamed = try TinyFrames.write(8, to: others).enumerated().map { index, path in
                let name = others.appending(path: "02_A1_f\(index).tiff").path
                try FileManager.default.moveItem(atPath: path, toPath: name)
                return name
            }
            let error = try #require(throws: DataError.self) {
                try Trainers.resume(checkpoint, frames: try FrameSet(paths: renamed))
            }
            #expect("\(error)".contains("other names"))
            let data = try Data(contentsOf: URL(filePath: checkpoint))
            try data.dropLast(100).write(to: URL(filePath: checkpoint))
            #expect(throws: (any Error).self) {
                try FAnoGANTrainer(resuming: checkpoint, steps: nil, frames: frames)
            }
            var tiny = options(steps: 4)
            var configuration = FAnoGANConfiguration()
            configuration.imageSize = 16
            tiny.settings.network = .fanogan(configuration)
            (tiny.settings.window, tiny.settings.patch) = (16, 16)
            #expect(throws: DataError.self) { try FAnoGANTrainer(options: tiny, frames: frames) }
        }
    }
}
