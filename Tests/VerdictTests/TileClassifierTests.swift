import Detection
import Diffusion
import Foundation
import Plate
import TestSupport
import Testing

@testable import Evaluation
@testable import Verdict

struct TileClassifierTests {
    private static let (height, width) = (224, 256)

    /// Grain, and some dark round cells.
    private static func frame(_ seed: UInt64, level: Float = 100) -> Frame {
        var random = TestGenerator(seed: seed)
        var pixels = random.floats(Self.height * Self.width, in: level - 2...level + 2)
        for _ in 0..<20 {
            let place = random.floats(2, in: 0.1...0.9)
            let (row, column) = (Int(place[0] * Float(Self.height)), Int(place[1] * Float(Self.width)))
            for y in -9...9 {
                for x in -9...9 {
                    pixels[(row + y) * Self.width + column + x] -=
                        0.3 * level * exp(-Float(y * y + x * x) / 30)
                }
            }
        }
        return Frame(height: Self.height, width: Self.width, pixels: pixels)
    }

    /// A smear of this contrast somewhere, and where it is.
    private static func smeared(_ seed: UInt64, level: Float = 100, contrast: Float = 0.2) -> (Frame, Mask) {
        var result = frame(seed, level: level)
        var mask = Mask(
            height: Self.height,
            width: Self.width,
            values: [UInt8](repeating: 0, count: Self.height * Self.width)
        )
        var random = TestGenerator(seed: seed + 1000)
        let place = random.floats(2, in: 0.1...0.6)
        let (top, left) = (Int(place[0] * Float(Self.height)), Int(place[1] * Float(Self.width)))
        for row in top..<top + 60 {
            for column in left..<left + 70 where (row + column) % 16 < 6 {
                result[row, column] *= 1 - contrast
                mask.values[row * Self.width + column] = 1
            }
        }
        return (result, mask)
    }

    private static func map(_ frame: Frame) -> ScoreMap {
        ScoreMap(
            height: frame.height,
            width: frame.width,
            values: frame.pixels.map { min(abs($0 - 100) / 255, 0.7) }
        )
    }

    private static func example(_ frame: Frame, _ mask: Mask? = nil) -> TileClassifierFit.Example? {
        TileFigures(frame: frame, map: map(frame), background: 100).map { figures in
            TileClassifierFit.Example(figures, cover: mask.map { figures.cover(of: $0) } ?? [])
        }
    }

    /// Fitted once for all tests.
    private static let fitted: TileClassifier? = {
        var fit = TileClassifierFit()
        for level in [Float(90), 110] {
            var examples: [TileClassifierFit.Example] = []
            for seed in 0..<12 {
                let normal = frame(UInt64(seed) + UInt64(level) * 100, level: level)
                examples += [example(normal)].compactMap(\.self)
                let contrast = [Float(0.05), 0.1, 0.2][seed % 3]
                let (faulty, mask) = smeared(
                    UInt64(seed) + UInt64(level) * 200,
                    level: level,
                    contrast: contrast
                )
                examples += [example(faulty, mask)].compactMap(\.self)
            }
            fit.add(examples)
        }
        return fit.classifier()
    }()

    private func frame(_ seed: UInt64) -> Frame { Self.frame(seed) }

    private func map(_ frame: Frame) -> ScoreMap { Self.map(frame) }

    private func classifier() throws -> TileClassifier { try #require(Self.fitted) }

    private func calibration(_ classifier: TileClassifier?) throws -> Calibration {
        try Calibration(
            fittedTo: (5000..<5030).map { frame($0) },
            map: map,
            falseAlarmRate: 0.001,
            classifier: classifier
        )
    }

    private func isFaulty(_ frame: Frame, _ calibration: Calibration) -> Bool {
        calibration.verdict(of: calibration.evidence(of: frame, map: map(frame))) == .faulty
    }

    @Test func theClassifierFindsFaintFaultsAndWhereTheyAre() throws {
        let (with, without) = (try calibration(classifier()), try calibration(nil))
        /// How well the tiles of faint smears are told from all others.
        func ranking(_ calibration: Calibration) throws -> Double {
            var (scores, faulty): ([Double], [Bool]) = ([], [])
            for seed in 6000..<6020 {
                let (frame, mask) = Self.smeared(UInt64(seed), contrast: 0.05)
                let tiles = try #require(calibration.evidence(of: frame, map: map(frame)).tiles)
                scores += tiles.tileScores.map { Double($0) }
                faulty += tiles.figures.cover(of: mask).map { $0 > 0.1 }
            }
            return try #require(ClassificationMetrics(scores: scores, faulty: faulty).rocAUC)
        }
        #expect(try ranking(with) > ranking(without))
        #expect((6000..<6020).allSatisfy { isFaulty(Self.smeared($0).0, with) })
        #expect((7000..<7040).count { isFaulty(frame($0), with) } <= 6)
        let (faulty, mask) = Self.smeared(6100)
        let tiles = try #require(with.evidence(of: faulty, map: map(faulty)).tiles)
        let cover = tiles.figures.cover(of: mask)
        let most = try #require(tiles.tileScores.indices.max { tiles.tileScores[$0] < tiles.tileScores[$1] })
        #expect(cover[most] > 0)
    }

    @Test func aFaultOfAnotherKindIsFoundAllTheSame() throws {
        let calibration = try calibration(classifier())
        var dark = frame(8000)
        for row in 60..<140 { for column in 80..<160 { dark[row, column] = 25 } }
        #expect(isFaulty(dark, calibration))
    }

    @Test func itIsTheSameAfterStoringAndRefusesPartsThatDoNotFit() throws {
        let classifier = try classifier()
        let data = try JSONEncoder().encode(classifier)
        #expect(try JSONDecoder().decode(TileClassifier.self, from: data) == classifier)
        let calibration = try calibration(classifier)
        let stored = try JSONDecoder().decode(Calibration.self, from: JSONEncoder().encode(calibration))
        #expect(stored == calibration)
        for widths in ["[17,63,32,1]", "[17,64,32,2]", "[9223372036854775807,2]", "[17,-1]", "[]"] {
            let broken = String(decoding: data, as: UTF8.self).replacing("[17,64,32,1]", with: widths)
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(TileClassifier.self, from: Data(broken.utf8))
            }
        }
    }

    @Test func faultLogitsAreWhatTheLayersSay() throws {
        struct Stored: Decodable {
            let widths: [Int]
            let values: Data
        }
        let classifier = try classifier()
        let stored = try JSONDecoder().decode(Stored.self, from: JSONEncoder().encode(classifier))
        let numbers = [Float](packed: stored.values)
        let count = 150
        let points = randomValues(17 * count, seed: 4).map { $0 * 20 - 10 }
        let found = classifier.faultLogits(of: points, count: count)
        for tile in 0..<count {
            var (values, start) = ((0..<17).map { Double(min(max(points[$0 * count + tile], -8), 8)) }, 0)
            for (inputs, outputs) in zip(stored.widths, stored.widths.dropFirst()) {
                values = (0..<outputs).map { row in
                    let products = (0..<inputs).map {
                        Double(numbers[start + row * inputs + $0]) * values[$0]
                    }
                    let sum = Double(numbers[start + inputs * outputs + row]) + products.reduce(0, +)
                    return outputs == 1 ? sum : max(sum, 0)
                }
                start += (inputs + 1) * outputs
            }
            #expect(abs(Double(found[tile]) - values[0]) < 1e-3 * max(1, abs(values[0])))
        }
    }

    @Test func framesOfAnotherSizeAreJudgedByItToo() throws {
        let calibration = try calibration(classifier())
        func part(_ frame: Frame) -> Frame {
            let (height, width) = (Self.height - 32, Self.width)
            return frame.window(row: 0, column: 0, height: height, width: width)
        }
        #expect((5100..<5120).count { isFaulty(part(frame($0)), calibration) } <= 3)
        var dark = part(frame(8000))
        for row in 40..<100 { for column in 60..<120 { dark[row, column] = 25 } }
        #expect(isFaulty(dark, calibration))
    }

    @Test func listsWithoutNormalFramesAreLeftOut() throws {
        var fit = TileClassifierFit()
        let (faulty, mask) = Self.smeared(1)
        fit.add([try #require(Self.example(faulty, mask))])
        #expect(fit.classifier() == nil)
    }
}
