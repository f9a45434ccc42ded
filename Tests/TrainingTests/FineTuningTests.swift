import Detection
import Foundation
import TestSupport
import Testing

@testable import Training

struct FineTuningTests {
    @Test func aModelIsFittedToOtherFramesAndSaysWhetherThatHelped() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(6, to: folder))
            let first = try TinyFrames.trainer(frames, steps: 30)
            try TinyFrames.train(first)
            let model = first.model(command: "first")

            let options = TinyFrames.options(steps: 40, seed: 9)
            let second = try Trainer(from: model, path: "first", options: options, frames: frames)
            let before = try #require(second.history.first?.validationLoss)
            // It begins where the first one ended, not anew.
            let anew = try #require(first.history.first?.validationLoss)
            #expect(before < anew)
            try TinyFrames.train(second)
            #expect(try #require(second.history.last?.validationLoss) < before)
            let fitted = second.model(command: "second").description
            #expect(fitted.realtime == model.description.realtime)
        }
    }

    @Test func weightsThatDoNotFitAreRefusedWithTheFile() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(6, to: folder))
            var model = try TinyFrames.trainer(frames, steps: 1).model(command: "")
            model.weights.removeAll()
            let error = #expect(throws: DataError.self) {
                try Trainer(
                    from: model,
                    path: "mine.safetensors",
                    options: TinyFrames.options(steps: 1),
                    frames: frames
                )
            }
            #expect(error?.description.hasPrefix("mine.safetensors: ") == true)
        }
    }
}
