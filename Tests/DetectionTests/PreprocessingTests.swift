import Detection
import Foundation
import Plate
import TestSupport
import Testing

@Suite struct PreprocessingTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedPreprocessing() throws {
        let fixture = try Fixture("preprocess")
        let raw = try fixture.floats("raw")
        let frame = Frame(height: raw.shape[0], width: raw.shape[1], pixels: raw.values)
        let smoothed = CurvatureFlow().smoothed(frame)
        let expected = try fixture.floats("curvature_flow").values
        let brightest = Double(expected.reduce(0) { max($0, $1) })
        #expect(largestDifference(smoothed.pixels, expected) < 1e-5 * brightest)
        let rescaled = try fixture.floats("rescaled").values
        #expect(largestDifference(smoothed.rescaledToUnitRange().pixels, rescaled) < 1e-5)
    }

    @Test(arguments: oddSizes) func flowAgreesWithTwin(height: Int, width: Int) {
        let frame = Frame(
            height: height,
            width: width,
            pixels: randomValues(height * width, seed: 1, in: 0...255)
        )
        let smoothed = CurvatureFlow(timeStep: 0.2, iterations: 1).smoothed(frame)
        #expect(
            largestDifference(smoothed.pixels, Reference.curvatureStep(frame, step: Double(0.2 as Float)))
                < 1e-4
        )
    }

    @Test func aFlatFrameStaysFlat() {
        let frame = Frame(height: 3, width: 4, pixels: [Float](repeating: 7, count: 12))
        #expect(CurvatureFlow().smoothed(frame) == frame)
        #expect(frame.rescaledToUnitRange().pixels.allSatisfy { $0 == 0 })
    }
}
