import Foundation
import Plate
import TestSupport
import Testing

@testable import Detection

struct NormalModelTests {
    private static let (height, width) = (224, 256)

    /// A background with grain and some soft round cells.
    private func frame(_ seed: UInt64, level: Float = 100) -> Frame {
        var random = TestGenerator(seed: seed)
        var pixels = random.floats(Self.height * Self.width, in: level - 2...level + 2)
        for _ in 0..<30 {
            let place = random.floats(2, in: 0.1...0.9)
            let (row, column) = (Int(place[0] * Float(Self.height)), Int(place[1] * Float(Self.width)))
            for y in -9...9 {
                for x in -9...9 {
                    let soft = exp(-Float(y * y + x * x) / 30)
                    pixels[(row + y) * Self.width + column + x] -= 0.3 * level * soft
                }
            }
        }
        return Frame(height: Self.height, width: Self.width, pixels: pixels)
    }

    /// A stand-in for a residual: what differs from the level.
    private func map(_ frame: Frame) -> ScoreMap {
        ScoreMap(
            height: frame.height,
            width: frame.width,
            values: frame.pixels.map { min(abs($0 - 100) / 255, 0.7) }
        )
    }

    private func model(_ count: Int = 30) throws -> NormalModel {
        var learner = NormalLearner(background: 100)
        for seed in 0..<count {
            let normal = frame(UInt64(seed))
            learner.add(normal, map: map(normal))
        }
        return try #require(learner.model(falseAlarmRate: 0.05, seed: 1))
    }

    private func severity(_ frame: Frame, _ model: NormalModel) throws -> Double {
        try #require(model.measured(frame, map: map(frame))).deviation.severity
    }

    @Test func newNormalFramesAreNormalAndChangedOnesAreNot() throws {
        let model = try model()
        let normal = try (100..<140).map { try severity(frame($0), model) }
        #expect(normal.count { $0 > model.threshold } <= 6)
        var hair = frame(200)
        for row in 10..<120 { for column in 0..<3 { hair[row, 40 + row / 4 + column] = 60 } }
        let dark = frame(201, level: 70)
        var blurred = frame(202)
        let sharp = blurred
        for row in 3..<Self.height - 3 {
            for column in 3..<Self.width - 3 {
                var sum: Float = 0
                for y in -3...3 { for x in -3...3 { sum += sharp[row + y, column + x] } }
                blurred[row, column] = sum / 49
            }
        }
        for changed in [hair, dark, blurred] { #expect(try severity(changed, model) > model.threshold) }
    }

    @Test func whatSurprisesIsWhereTheFaultIs() throws {
        let model = try model()
        var spotted = frame(300)
        for row in 70..<90 { for column in 100..<120 { spotted[row, column] = 20 } }
        let suspicions = try #require(model.measured(spotted, map: map(spotted))).deviation.suspicions
        let most = suspicions.indices.max { suspicions[$0] < suspicions[$1] }
        // Rows 64 to 95 and columns 96 to 127.
        #expect(most == 2 * 8 + 3)
    }

    @Test func itIsTheSameAfterStoring() throws {
        let model = try model(6)
        let data = try JSONEncoder().encode(model)
        #expect(try JSONDecoder().decode(NormalModel.self, from: data) == model)
        let later = String(decoding: data, as: UTF8.self).replacingOccurrences(
            of: "\"version\":2",
            with: "\"version\":3"
        )
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(NormalModel.self, from: Data(later.utf8))
        }
    }

    @Test func framesOfAnotherSizeAreNotItsBusiness() throws {
        let model = try model(6)
        let small = Frame(height: 64, width: 64, pixels: [Float](repeating: 100, count: 4096))
        #expect(model.measured(small, map: map(small)) == nil)
    }

    @Test func theMixtureFindsCloudsAndItsDensityIsThatOfItsGaussians() {
        var random = TestGenerator(seed: 5)
        // Two clouds in a plane, 300 points each.
        let noise = random.floats(1200, in: -1...1)
        let points = (0..<1200).map { index -> Float in noise[index] + (index % 600 < 300 ? -4 : 4) }
        let mixture = GaussianMixture(points: points, dimensions: 2, components: 2, seed: 1)
        let centres = [mixture.means[0], mixture.means[2]].sorted()
        #expect(abs(centres[0] + 4) < 0.2 && abs(centres[1] - 4) < 0.2)
        let probe: [Float] = [-4, 0, 4, -4, 0, 5]
        let expected = (0..<3).map { point -> Double in
            let densities = (0..<2).map { k -> Double in
                let off = (0..<2).map { Double(probe[$0 * 3 + point] - mixture.means[k * 2 + $0]) }
                let factor = mixture.factors[k * 4..<k * 4 + 4].map(Double.init)
                let solved = [factor[0] * off[0], factor[2] * off[0] + factor[3] * off[1]]
                return exp(Double(mixture.logs[k]) - 0.5 * (solved[0] * solved[0] + solved[1] * solved[1]))
            }
            return -log(densities.reduce(0, +))
        }
        for (found, wanted) in zip(mixture.surprises(of: probe), expected) {
            #expect(abs(Double(found) - wanted) < 1e-3 * max(1, abs(wanted)))
        }
    }

    @Test func causesAreToldApartAndWhatIsLikeNoneIsUnknown() throws {
        var random = TestGenerator(seed: 9)
        var examples: [(cause: Cause, values: [Double])] = []
        for (cause, middle) in [(Cause.airBubble, 0.0), (.zShift, 6.0), (.illumination, -6.0)] {
            for _ in 0..<30 {
                examples.append((cause, random.floats(4, in: -1...1).map { Double($0) + middle }))
            }
        }
        let model = try #require(CauseModel(examples))
        let stored = try JSONDecoder().decode(CauseModel.self, from: JSONEncoder().encode(model))
        func cause(_ middle: Double, isBlank: Bool = false) -> ProbableCause {
            let values = [Double](repeating: middle, count: 4)
            return stored.cause(of: CauseModel.Evidence(values: values, isBlank: isBlank))
        }
        #expect(cause(6).cause == .zShift && cause(6).confidence > 0.9)
        #expect(cause(0).cause == .airBubble)
        #expect(cause(3).cause == .unknown)
        #expect(cause(60).cause == .unknown)
        #expect(cause(0, isBlank: true).cause == .blank)
        #expect(CauseModel(examples.filter { $0.cause == .zShift }) == nil)
    }
}
