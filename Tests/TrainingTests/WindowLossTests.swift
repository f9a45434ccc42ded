import Foundation
import Tensors
import TestSupport
import Testing

@testable import Training

struct WindowLossTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithThePublishedLoss() throws {
        let fixture = try Fixture("unet_small.io")
        let image = try fixture.floats("train.image01")
        let reconstruction = try fixture.floats("train.reconstruction01")
        let (count, height, width) = (image.shape[0], image.shape[2], image.shape[3])
        let boxes = try fixture.integers("train.box_x0y0x1y1").values
        let kept = (0..<count).map { index in
            (boxes[4 * index + 1]..<boxes[4 * index + 3]).map { row in
                row * width + boxes[4 * index]..<row * width + boxes[4 * index + 2]
            }
        }
        let prediction = Variable(
            parameter: Tensor(
                reconstruction.values.map { 2 * $0 - 1 },
                shape: [count, height, width, 1]
            )
        )
        let loss = WindowLoss.of(prediction, clean: image.values.map { 2 * $0 - 1 }, kept: kept)
        #expect(try abs(Double(loss.value.scalar) - ExpectedValues().number("unet_small", "loss")) < 1e-5)
    }

    @Test func whatIsNotKeptHasNoGradient() {
        var random = TestGenerator(seed: 1)
        let clean = random.floats(2 * 64)
        let prediction = Variable(parameter: Tensor(random.floats(2 * 64), shape: [2, 8, 8, 1]))
        let loss = WindowLoss.of(prediction, clean: clean, kept: [[0..<4], [8..<12, 16..<20]])
        let gradient = gradients(of: loss, with: [prediction])[0].value.values
        let kept = Set(0..<4).union(64 + 8..<64 + 12).union(64 + 16..<64 + 20)
        #expect(gradient.indices.allSatisfy { (gradient[$0] != 0) == kept.contains($0) })
        let numeric = finiteDifferences(at: prediction.value.values, coordinates: [1, 73], step: 1e-3) {
            point in
            let moved = Variable(constant: Tensor(point, shape: [2, 8, 8, 1]))
            return Double(
                WindowLoss.of(moved, clean: clean, kept: [[0..<4], [8..<12, 16..<20]]).value.scalar
            )
        }
        #expect(relativeError(numeric, [gradient[1], gradient[73]]) < 0.02)
    }
}
