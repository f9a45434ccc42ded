import Diffusion
import Foundation
import Frames
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

    @Test(
        .enabled(
            if: TestData.fixtures != nil && TestData.data != nil,
            "no golden values or no real frames: set AUTOQC_FIXTURES and AUTOQC_DATA"
        )
    )
    func agreesWithPublishedFullFrame() throws {
        let expected = try ExpectedValues()
        let name = try expected.text("preprocess_full_frame", "file")
        let path = try #require(TestData.data).appending(path: "complexeye/\(name)").path
        let smoothed = CurvatureFlow().smoothed(try TIFFReader(path: path).frame(page: 0))
        let pixels = smoothed.pixels.map { Double($0) }
        let mean = pixels.reduce(0, +) / Double(pixels.count)
        let variance = pixels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(pixels.count)
        let scale = try expected.number("preprocess_full_frame", "max")
        let probes = try expected.numbers("preprocess_full_frame", "probe_yx").map { Int($0) }
        var found = try [mean, variance.squareRoot(), #require(pixels.min()), #require(pixels.max())]
        found += stride(from: 0, to: probes.count, by: 2).map { Double(smoothed[probes[$0], probes[$0 + 1]]) }
        var values = try ["mean", "std", "min", "max"].map {
            try expected.number("preprocess_full_frame", $0)
        }
        values += try expected.numbers("preprocess_full_frame", "probe")
        #expect(found.count == values.count)
        for (found, value) in zip(found, values) { #expect(abs(found - value) < 1e-5 * scale) }
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

    @Test func normalisationAgreesWithItsDefinition() throws {
        let normalisation = try #require(Normalisation(background: 101.5, reach: 37))
        let grey = randomValues(131, seed: 2, in: 0...255)
        // In steps of 1/1024 of a hundredth of the background.
        for (found, grey) in zip(normalisation.normalised(grey), grey) {
            #expect(abs(found - (grey - 101.5) / 37) < 1e-4)
        }
        #expect(normalisation.normalised([]).isEmpty)
    }

    @Test(arguments: [16, 257, 1 / 255] as [Float])
    func theUnitOfGreyValuesDoesNotMatter(unit: Float) throws {
        let grey = (0...255).map { Float($0) }
        let normalisation = try #require(Normalisation(background: 117, reach: 43))
        let other = try #require(Normalisation(background: 117 * unit, reach: 43 * unit))
        #expect(other.normalised(grey.map { $0 * unit }) == normalisation.normalised(grey))
    }

    @Test func aBackgroundOfZeroIsNormalisedToo() throws {
        let normalisation = try #require(Normalisation(background: 0, reach: 50))
        #expect(normalisation.normalised([0, 25, 100]) == [0, 0.5, 2])
    }

    @Test func aFlatFrameStaysFlat() {
        let frame = Frame(height: 3, width: 4, pixels: [Float](repeating: 7, count: 12))
        #expect(CurvatureFlow().smoothed(frame) == frame)
        #expect(frame.rescaledToUnitRange().pixels.allSatisfy { $0 == 0 })
    }
}
