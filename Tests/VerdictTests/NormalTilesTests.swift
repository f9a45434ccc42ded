import Foundation
import Plate
import TestSupport
import Testing

@testable import Verdict

struct NormalTilesTests {
    private static let (height, width) = (224, 256)

    /// A background with grain and some soft round cells.
    private func frame(_ seed: UInt64, level: Float = 100, cells: Int = 30) -> Frame {
        var random = TestGenerator(seed: seed)
        var pixels = random.floats(Self.height * Self.width, in: level - 2...level + 2)
        for _ in 0..<cells {
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

    private func calibration(_ count: Int = 30) throws -> Calibration {
        try Calibration(fittedTo: (0..<count).map { frame(UInt64($0)) }, map: map)
    }

    private func judge(_ frame: Frame, _ calibration: Calibration, threshold: Double? = nil) -> Judgement {
        let map = map(frame)
        let evidence = calibration.evidence(of: frame, map: map)
        return calibration.judge(evidence, map: map, threshold: threshold)
    }

    @Test func newNormalFramesAreNormalAndChangedOnesAreNot() throws {
        let calibration = try calibration()
        let normal = (100..<140).map { judge(frame($0), calibration) }
        #expect(normal.count { $0.verdict == .faulty } <= 6)
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
        for changed in [hair, dark, blurred] { #expect(judge(changed, calibration).verdict == .faulty) }
    }

    /// A threshold of the user's own, below the model's, flags frames that the model lets pass: they are faulty in all respects.
    @Test func aFrameThatIsFaultyByTheUsersThresholdHasAMaskAndACause() throws {
        let calibration = try calibration()
        let quiet = try #require(
            (100..<140).map { judge(frame($0), calibration) }.first {
                $0.verdict == .normal && $0.severity > 0 && $0.pictures?.mask.values.contains(1) == false
            },
            "a normal frame without a mask"
        )
        let index = try #require((100..<140).first { judge(frame($0), calibration) == quiet })
        let flagged = judge(frame(UInt64(index)), calibration, threshold: quiet.severity / 2)
        #expect(flagged.verdict == .faulty)
        #expect(flagged.severity == quiet.severity && flagged.threshold == quiet.severity / 2)
        #expect(flagged.pictures?.mask.values.contains(1) == true)
        #expect(flagged.area > 0 && flagged.boundingBox != nil)
        let blank = Frame(
            height: Self.height,
            width: Self.width,
            pixels: [Float](repeating: 100, count: Self.height * Self.width)
        )
        #expect(judge(blank, calibration, threshold: 0).cause.cause == .blank)
        #expect(judge(blank, calibration, threshold: .infinity).cause.cause == .unknown)
    }

    @Test func theTermsMakeTheSeverity() throws {
        let calibration = try calibration()
        for seed in 100..<110 as Range<UInt64> {
            let judgement = judge(frame(seed), calibration)
            let terms = SeverityTerm.ofTiles(hasClassifier: false) + [.combination]
            #expect(judgement.terms.map(\.term) == terms.map(\.name))
            let sum = judgement.terms.reduce(0) { $0 + exp($1.value) }
            let expected = max(log(sum / Double(judgement.terms.count)), 0)
            #expect(abs(judgement.severity - expected) < 1e-9)
        }
        let dark = judge(frame(201, level: 70), calibration)
        #expect(dark.largestTerm?.term == "level" || dark.largestTerm?.term.hasPrefix("tile-nll") == true)
    }

    @Test func theLeastLikelyTileIsWhereTheFaultIs() throws {
        let calibration = try calibration()
        var spotted = frame(300)
        for row in 70..<90 { for column in 100..<120 { spotted[row, column] = 20 } }
        let tiles = try #require(calibration.evidence(of: spotted, map: map(spotted)).tiles)
        let most = tiles.tileScores.indices.max { tiles.tileScores[$0] < tiles.tileScores[$1] }
        // Rows 64 to 95 and columns 96 to 127.
        #expect(most == 2 * 8 + 3)
    }

    @Test func itIsTheSameAfterStoring() throws {
        let calibration = try calibration(6)
        let data = try JSONEncoder().encode(calibration)
        #expect(try JSONDecoder().decode(Calibration.self, from: data) == calibration)
        #expect(calibration.limits.suspect >= 1.5)
        #expect(calibration.limits.suspect <= calibration.limits.threshold.value)
        let text = String(decoding: data, as: UTF8.self)
        for (known, other) in [("\"level\"", "\"colour\""), ("\"residual-window\"", "\"level\"")] {
            let broken = Data(text.replacingOccurrences(of: ":" + known, with: ":" + other).utf8)
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(Calibration.self, from: broken) }
        }
    }

    @Test func framesOfAnotherSizeAreJudgedByTheImageScore() throws {
        let calibration = try calibration(6)
        let small = Frame(height: 64, width: 64, pixels: [Float](repeating: 100, count: 4096))
        #expect(calibration.evidence(of: small, map: map(small)).tiles == nil)
        #expect(judge(small, calibration).terms.map(\.term) == ["score"])
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
        for (found, wanted) in zip(mixture.negativeLogLikelihoods(of: probe), expected) {
            #expect(abs(Double(found) - wanted) < 1e-3 * max(1, abs(wanted)))
        }
    }

    @Test func aWellWithHardlyAnyCellsSaysNothingAboutTheFocus() throws {
        let calibration = try calibration()
        func sharpness(_ frame: Frame) throws -> (fine: Double, coarse: Double) {
            try #require(calibration.evidence(of: frame, map: map(frame)).tiles).sharpness
        }
        let (usual, empty) = (try sharpness(frame(300)), try sharpness(frame(301, cells: 0)))
        #expect(abs(usual.fine - empty.fine) < 0.3 && abs(usual.coarse - empty.coarse) < 0.3)
    }

    @Test(arguments: [(0.5 as Float, true), (0.99, false), (2.5, true)])
    func lightThatIsUnevenOverAPartOfTheFrameIsSeen(share: Float, isSeen: Bool) throws {
        let calibration = try calibration()
        var shaded = frame(302)
        for row in 0..<Self.height {
            for column in 0..<Self.width {
                shaded[row, column] *= 1 + (share - 1) * Float(column) / Float(Self.width)
            }
        }
        let severity = calibration.severity(of: shaded, map: ScoreMap(zero: shaded))
        let usual = calibration.severity(of: frame(302), map: ScoreMap(zero: shaded))
        #expect((severity > usual + 2) == isSeen, "\(usual) and \(severity)")
    }

    @Test func causesAreToldApartAndWhatIsLikeNoneIsUnknown() throws {
        var random = TestGenerator(seed: 9)
        var examples: [CauseExample] = []
        for (cause, middle) in [(Cause.airBubble, 0.0), (.zShift, 6.0), (.illumination, -6.0)] {
            for _ in 0..<30 {
                let values = random.floats(4, in: -1...1).map { Double($0) + middle }
                examples.append(CauseExample(cause, values: values))
            }
        }
        let model = try #require(CauseModel(examples))
        let stored = try JSONDecoder().decode(CauseModel.self, from: JSONEncoder().encode(model))
        func cause(_ middle: Double) -> ProbableCause {
            let values = [Double](repeating: middle, count: 4)
            return stored.cause(of: CauseModel.Features(values: values, isBlank: false))
        }
        #expect(cause(6).cause == .zShift && cause(6).confidence > 0.9)
        #expect(cause(0).cause == .airBubble)
        #expect(cause(3).cause == .unknown)
        #expect(cause(60).cause == .unknown)
        #expect(CauseModel(examples.filter { $0.cause == .zShift }) == nil)
    }
}

extension ScoreMap {
    /// A map without any residual.
    fileprivate init(zero frame: Frame) {
        self.init(
            height: frame.height,
            width: frame.width,
            values: [Float](repeating: 0, count: frame.pixels.count)
        )
    }
}
