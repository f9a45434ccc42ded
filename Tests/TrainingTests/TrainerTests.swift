import Detection
import Foundation
import Plate
import Tables
import Tensors
import TestSupport
import Testing

@testable import Training

struct TrainerTests {
    private func weights(_ trainer: Trainer) -> [String: [Float]] {
        trainer.model(command: "test").weights.mapValues(\.values)
    }

    @Test func theSameSeedGivesTheSameModelAndAnotherSeedAnother() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(4, to: folder))
            let trainers = try [7, 7, 8].map { try TinyFrames.trainer(frames, steps: 4, seed: $0) }
            for trainer in trainers { try TinyFrames.train(trainer) }
            #expect(weights(trainers[0]) == weights(trainers[1]))
            #expect(weights(trainers[0]) != weights(trainers[2]))
        }
    }

    @Test func aResumedTrainingIsTheUninterruptedOne() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(3, to: folder))
            let whole = try TinyFrames.trainer(frames, steps: 6)
            try TinyFrames.train(whole)
            let checkpoint = folder.appending(path: "m.checkpoint").path
            let first = try TinyFrames.trainer(frames, steps: 6)
            try TinyFrames.train(first, until: 3)
            #expect(first.step == 3)
            try first.writeCheckpoint(path: checkpoint)
            let second = try Trainer(resuming: checkpoint, steps: nil, frames: frames)
            #expect(second.step == 3)
            try TinyFrames.train(second)
            #expect(weights(second) == weights(whole))
            #expect(second.history.last == whole.history.last)
        }
    }

    @Test func damagedCheckpointsAndOtherFramesAreRefused() async throws {
        try await withTemporaryFolder { folder in
            let paths = try TinyFrames.write(4, to: folder)
            let frames = try FrameSet(paths: paths)
            let trainer = try TinyFrames.trainer(frames, steps: 4)
            let checkpoint = folder.appending(path: "m.checkpoint").path
            try trainer.writeCheckpoint(path: checkpoint)
            let fewer = try FrameSet(paths: Array(paths.dropLast()))
            #expect(throws: DataError.self) { try Trainer(resuming: checkpoint, steps: nil, frames: fewer) }
            let data = try Data(contentsOf: URL(filePath: checkpoint))
            try data.dropLast(100).write(to: URL(filePath: checkpoint))
            #expect(throws: (any Error).self) {
                try Trainer(resuming: checkpoint, steps: nil, frames: frames)
            }
        }
    }

    @Test func aModelLearnsToTellFaultyFromNormal() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(6, to: folder))
            let trainer = try TinyFrames.trainer(frames, steps: 60)
            try TinyFrames.train(trainer)
            let losses = trainer.history.compactMap(\.validationLoss)
            #expect(try #require(losses.last) < losses[0])

            var model = trainer.model(command: "test")
            var options = Calibrator.Options()
            options.falseAlarmRate = 0.05
            options.maskWindow = 8
            options.maskRate = 0.25
            let calibrator = try Calibrator(model: model, path: "tiny", options: options)
            model.description.calibration = try calibrator.labelFree(frames) { _, _, _ in }.calibration
            let path = folder.appending(path: "tiny.safetensors").path
            try model.write(path: path)

            let detector = try Detector(path: path)
            var faulty = TinyFrames.frame(seed: 99)
            for row in 20..<60 { for column in 30..<80 { faulty[row, column] = row % 8 < 4 ? 255 : 0 } }
            let judgements = [TinyFrames.frame(seed: 98), faulty].map { detector.judge($0) }
            #expect(judgements[0].verdict == .normal)
            #expect(judgements[1].verdict == .faulty)
            #expect(judgements[1].severity > judgements[1].threshold)
            // Asked for apart, or a failure prints every pixel.
            let found = judgements[1].boundingBox
            let box = try #require(found)
            #expect(box.x >= 20 && box.y >= 10 && box.x + box.width <= 90 && box.y + box.height <= 70)
        }
    }

    @Test func theCurveIsATableAndAPicture() async throws {
        try await withTemporaryFolder { folder in
            let frames = try FrameSet(paths: try TinyFrames.write(2, to: folder))
            let trainer = try TinyFrames.trainer(frames, steps: 4)
            try TinyFrames.train(trainer)
            let curve = LossCurve(trainer.history)
            let (csv, svg) = (folder.appending(path: "c.csv"), folder.appending(path: "c.svg"))
            try curve.write(csv: csv.path)
            try curve.write(svg: svg.path)
            let lines = try String(contentsOf: csv, encoding: .utf8).split(separator: "\n")
            #expect(lines.first == "step,loss,validation_loss")
            #expect(lines.count == 3)
            let drawing = try String(contentsOf: svg, encoding: .utf8)
            #expect(drawing.hasPrefix("<?xml") && drawing.hasSuffix("</svg>\n"))
            #expect(drawing.contains(">training<") && drawing.contains(">validation<"))
        }
    }
    /// The picture beside the shipped model is the one that this program draws of the table beside it.
    @Test func theShippedCurveIsDrawnFromItsTable() throws {
        let model = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "examples/models/complexeye.safetensors").path
        let table = CSVTable(try Data(contentsOf: URL(filePath: model + ".loss.csv")))
        let records = try table.rows.map { row in
            LossRecord(
                step: try #require(Int(row.fields[0])),
                loss: try #require(Float(row.fields[1])),
                validationLoss: Float(row.fields[2])
            )
        }
        let shipped = try String(contentsOfFile: model + ".loss.svg", encoding: .utf8)
        #expect(LossCurve(records).svg == shipped)
    }
}
