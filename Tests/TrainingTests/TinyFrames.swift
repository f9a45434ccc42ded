import Diffusion
import Foundation
import Frames
import Networks
import Plate
import TestSupport
import Training

/// A normal set small enough to train on in a test: grey frames with a few dark discs.
enum TinyFrames {
    static func frame(seed: UInt64, height: Int = 96, width: Int = 112) -> Frame {
        var random = TestGenerator(seed: seed)
        var frame = Frame(height: height, width: width, pixels: random.floats(height * width, in: 98...102))
        for _ in 0..<6 {
            let centre = (
                Int.random(in: 0..<height, using: &random), Int.random(in: 0..<width, using: &random)
            )
            for row in max(centre.0 - 4, 0)..<min(centre.0 + 5, height) {
                for column in max(centre.1 - 4, 0)..<min(centre.1 + 5, width) { frame[row, column] -= 40 }
            }
        }
        return frame
    }

    static func write(_ count: Int, to folder: URL) throws -> [String] {
        try (0..<count).map { index in
            let path = folder.appending(path: "01_A1_f\(index).tiff").path
            try TIFFWriter.write(frame(seed: UInt64(index + 1)), to: path)
            return path
        }
    }

    static func options(steps: Int, seed: UInt64 = 7) -> Trainer.Options {
        var options = Trainer.Options()
        options.steps = steps
        options.seed = seed
        options.batch = 2
        options.crop = 64
        options.validationInterval = 2
        options.architecture =
            RealtimeUNet.Architecture(channels: [8, 8, 16], blocks: [1, 1, 1], embedding: 8) ?? .standard
        return options
    }

    static func trainer(_ frames: FrameSet, steps: Int, seed: UInt64 = 7) throws -> Trainer {
        guard let phases = PatchPhases(patch: 16, count: 2),
            let diffusion = PatchedDiffusion(timestep: 20, noise: .simplex, noiseSeed: 3, phases: phases)
        else { throw DataError("no such division") }
        return try Trainer(options: options(steps: steps, seed: seed), frames: frames, diffusion: diffusion)
    }

    static func train(_ trainer: Trainer, until step: Int = .max) throws {
        try trainer.run(report: { _ in }, shouldStop: { trainer.step >= step })
    }
}
