import Foundation
import Plate
import TestSupport
import Testing

@testable import Detection

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

    /// Learnt once for all tests.
    private static let taught: TileClassifier? = {
        var learner = FaultLearner(background: 100)
        for level in [Float(90), 110] {
            for seed in 0..<12 {
                let normal = frame(UInt64(seed) + UInt64(level) * 100, level: level)
                learner.add(normal, map: map(normal), mask: nil)
                let contrast = [Float(0.05), 0.1, 0.2][seed % 3]
                let (faulty, mask) = smeared(
                    UInt64(seed) + UInt64(level) * 200,
                    level: level,
                    contrast: contrast
                )
                learner.add(faulty, map: map(faulty), mask: mask)
            }
            learner.endList()
        }
        return learner.classifier { _, _ in }
    }()

    private func frame(_ seed: UInt64) -> Frame { Self.frame(seed) }

    private func map(_ frame: Frame) -> ScoreMap { Self.map(frame) }

    private func classifier() throws -> TileClassifier { try #require(Self.taught) }

    private func model(_ classifier: TileClassifier?) throws -> NormalModel {
        var learner = NormalLearner(background: 100)
        for seed in 5000..<5030 {
            let normal = frame(UInt64(seed))
            learner.add(normal, map: map(normal))
        }
        return try #require(learner.model(falseAlarmRate: 0.05, seed: 1, classifier: classifier))
    }

    @Test func whatFaultsTaughtFindsFaintOnesAndWhereTheyAre() throws {
        let (taught, untaught) = (try model(classifier()), try model(nil))
        /// How well the tiles of faint smears are told from all others.
        func ranking(_ model: NormalModel) throws -> Double {
            var (scores, faulty): ([Double], [Bool]) = ([], [])
            for seed in 6000..<6020 {
                let (frame, mask) = Self.smeared(UInt64(seed), contrast: 0.05)
                let tiles = try #require(model.measured(frame, map: map(frame)))
                scores += tiles.deviation.suspicions.map { Double($0) }
                faulty += tiles.table.cover(of: mask).map { $0 > 0.1 }
            }
            return try #require(ClassificationMetrics(scores: scores, faulty: faulty).rocAUC)
        }
        let (with, without) = (try ranking(taught), try ranking(untaught))
        #expect(with > without)
        let plain = try (6000..<6020).count { seed in
            let (faulty, _) = Self.smeared(UInt64(seed))
            return try #require(taught.severity(of: faulty, map: map(faulty))) > taught.threshold
        }
        #expect(plain == 20)
        let alarms = try (7000..<7040).count { seed in
            let normal = frame(UInt64(seed))
            return try #require(taught.severity(of: normal, map: map(normal))) > taught.threshold
        }
        #expect(alarms <= 6)
        let (faulty, mask) = Self.smeared(6100)
        let tiles = try #require(taught.measured(faulty, map: map(faulty)))
        let cover = tiles.table.cover(of: mask)
        let suspicions = tiles.deviation.suspicions
        let most = try #require(suspicions.indices.max { suspicions[$0] < suspicions[$1] })
        #expect(cover[most] > 0)
    }

    @Test func aFaultOfAnotherKindIsFoundAllTheSame() throws {
        let model = try model(classifier())
        var dark = frame(8000)
        for row in 60..<140 { for column in 80..<160 { dark[row, column] = 25 } }
        #expect(try #require(model.severity(of: dark, map: map(dark))) > model.threshold)
    }

    @Test func itIsTheSameAfterStoringAndRefusesPartsThatDoNotFit() throws {
        let classifier = try classifier()
        let data = try JSONEncoder().encode(classifier)
        #expect(try JSONDecoder().decode(TileClassifier.self, from: data) == classifier)
        let model = try model(classifier)
        let stored = try JSONDecoder().decode(NormalModel.self, from: JSONEncoder().encode(model))
        #expect(stored == model)
        for widths in ["[17,63,32,1]", "[17,64,32,2]", "[9223372036854775807,2]", "[17,-1]", "[]"] {
            let broken = String(decoding: data, as: UTF8.self).replacing("[17,64,32,1]", with: widths)
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(TileClassifier.self, from: Data(broken.utf8))
            }
        }
    }

    @Test func suspicionsAreWhatTheLayersSay() throws {
        struct Stored: Decodable {
            let widths: [Int]
            let values: Data
        }
        let classifier = try classifier()
        let stored = try JSONDecoder().decode(Stored.self, from: JSONEncoder().encode(classifier))
        let numbers = [Float](packed: stored.values)
        let count = 150
        let points = randomValues(17 * count, seed: 4).map { $0 * 20 - 10 }
        let found = classifier.suspicions(of: points, count: count)
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

    @Test func framesOfAnotherSizeAreJudgedWithoutIt() throws {
        var learner = NormalLearner(background: 100)
        for seed in 5000..<5006 {
            let normal = frame(UInt64(seed))
            let part = Frame(
                height: Self.height - 32,
                width: Self.width,
                pixels: Array(normal.pixels.prefix((Self.height - 32) * Self.width))
            )
            learner.add(part, map: map(part))
        }
        let model = try #require(learner.model(falseAlarmRate: 0.05, seed: 1, classifier: classifier()))
        #expect(model.classifier == nil)
    }

    @Test func listsWithoutNormalFramesTeachNothing() {
        var learner = FaultLearner(background: 100)
        let (faulty, mask) = Self.smeared(1)
        learner.add(faulty, map: map(faulty), mask: mask)
        learner.endList()
        #expect(learner.classifier { _, _ in } == nil)
    }
}
