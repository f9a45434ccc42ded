import Diffusion
import Digests
import Foundation
import Networks
import Plate
import Randomness
import Tensors
import TestSupport
import Testing
import Verdict

@testable import Detection

struct ModelTests {
    /// A calibrated model of the realtime profile with random weights.
    static func model(phases count: Int = 2, noise: NoiseKind = .simplex) throws -> Model {
        let architecture = try #require(
            RealtimeUNet.Architecture(channels: [4, 4, 8], blocks: [1, 0, 1], embedding: 4)
        )
        let phases = try #require(PatchPhases(patch: 16, count: count))
        var random = SplitMix64(state: 1)
        let network = RealtimeUNet(architecture, using: &random)
        var description = ModelDescription(
            realtime: RealtimeSettings(
                architecture: architecture,
                normalisation: try #require(Normalisation(background: 100, reach: 50)),
                diffusion: try #require(
                    PatchedDiffusion(timestep: 20, noise: noise, noiseSeed: 5, phases: phases)
                )
            ),
            residual: .l1DSSIM,
            training: ModelDescription.Provenance(
                command: "autoqc train",
                steps: 3,
                seed: 1,
                frames: 2,
                validationLoss: 0.25
            )
        )
        description.calibration = Calibration(
            scoreKind: .patch,
            maskWindow: 4,
            image: Calibration.imageLimits(
                normalScores: [0.1, 0.2, 0.3],
                onsets: [0.1, 0.2, 0.2],
                falseAlarmRate: 0.3,
                maskRate: 0.3
            )
        )
        let weights = network.parameters.map { ($0.name, $0.variable.value) }
        return Model(description: description, weights: Dictionary(uniqueKeysWithValues: weights))
    }

    @Test func aFileHoldsTheWholeModel() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "m.safetensors").path
            var written = try Self.model()
            written.description.calibrations[.int8] = written.description.calibration
            written.description.ranges = (0..<14).map { -0.25...Float($0) }
            written.description.preferredPrecision = .int8
            try written.write(path: path)
            let (read, name) = try Model.read(path: path)
            #expect(read.description == written.description)
            #expect(read.weights.mapValues(\.values) == written.weights.mapValues(\.values))
            #expect(name == String(Digest.sha256(try Data(contentsOf: URL(filePath: path))).prefix(12)))
            #expect(name.count == 12)
        }
    }

    @Test func whatTheModelPrefersIsTakenWhereItIsCalibratedForIt() throws {
        var description = try Self.model().description
        #expect(description.automaticPrecision == .float32)
        description.preferredPrecision = .int8
        #expect(description.automaticPrecision == .float32)
        description.calibrations[.int8] = description.calibration
        #expect(description.automaticPrecision == .int8)
    }

    /// In each half the other patches show their neighbour; the two halves together are the whole frame.
    @Test(arguments: [(2, 80, 64), (4, 80, 64), (2, 70, 41), (4, 33, 39)])
    func twoHalvesOfThePatchesAreTheWholeFrame(phases: Int, width: Int, height: Int) throws {
        let scorer = try FrameScorer(model: try Self.model(phases: phases), path: "test")
        var random = SplitMix64(state: 3)
        let pixels = (0..<width * height).map { _ in Float.random(in: 60...140, using: &random) }
        let frame = Frame(height: height, width: width, pixels: pixels)
        let whole = scorer.reconstruction(of: frame)
        for index in 0..<2 {
            let half = scorer.reconstruction(of: frame, patches: .half(forFrame: index))
            let packing = try #require(half.packing)
            func unpacked(_ values: [Float]) -> [Float] {
                packing.unpacked(ScoreMap(height: half.height, width: half.width, values: values)).values
            }
            let sources = (0..<height).flatMap { row in
                (0..<width).map { column in
                    let isSeen = (phases == 2 ? row / 16 + column / 16 : column / 16) % 2 == index
                    return row * width + (isSeen ? column : column < 16 ? column + 16 : column - 16)
                }
            }
            #expect(unpacked(half.input) == sources.map { whole.input[$0] })
            #expect(unpacked(half.output) == sources.map { whole.output[$0] })
            let shown = try #require(packing.tilesShown(side: 8))
            let map = ScoreMap(height: height, width: width, values: whole.output)
            let withoutCopies = packing.withoutCopies(map).values
            for (pixel, source) in sources.enumerated() {
                #expect(withoutCopies[pixel] == (source == pixel ? whole.output[pixel] : 0))
                let (tile, columns) = (pixel / width / 8 * (width / 8) + pixel % width / 8, width / 8)
                guard pixel / width < height / 8 * 8, pixel % width < columns * 8 else { continue }
                #expect(shown[tile] == source / width / 8 * columns + source % width / 8)
            }
        }
    }

    @Test func aFrameOfOnePatchInARowIsReconstructedAsAWhole() throws {
        let scorer = try FrameScorer(model: try Self.model(), path: "test")
        let frame = Frame(height: 40, width: 30, pixels: (0..<1200).map { Float($0 % 90 + 50) })
        #expect(scorer.reconstruction(of: frame, patches: .odd) == scorer.reconstruction(of: frame))
    }

    @Test func cutAndAlteredFilesAreRefused() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "m.safetensors").path
            try Self.model().write(path: path)
            let data = try Data(contentsOf: URL(filePath: path))
            for length in stride(from: 0, to: data.count, by: 97) {
                try data.prefix(length).write(to: URL(filePath: path))
                #expect(throws: ModelError.self, "cut to \(length)") { try Model.read(path: path) }
            }
            for index in stride(from: 8, to: data.count, by: 131) {
                var altered = data
                altered[index] ^= 0x10
                try altered.write(to: URL(filePath: path))
                #expect(throws: ModelError.self, "byte \(index)") { try Model.read(path: path) }
            }
        }
    }

    @Test func refusalsSayWhatToDo() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "m.safetensors").path
            var faults: [ModelError.Code: String] = [:]
            func refusal(_ change: (inout SafeTensors) -> Void) throws {
                try Self.model().write(path: path)
                var file = try SafeTensors(path: path)
                change(&file)
                try file.write(path: path)
                let error = #expect(throws: ModelError.self) { try Detector(path: path) }
                if let error { faults[error.code] = error.description }
            }
            try refusal { $0.metadata["autoqc.format"] = "9" }
            try refusal { $0.metadata = [:] }
            try refusal { $0.tensors["exit.bias"] = Tensor(repeating: 1, shape: [16]) }
            try refusal { $0.tensors["exit.bias"] = nil }
            var bare = try Self.model()
            bare.description.calibration = nil
            try bare.write(path: path)
            let error = #expect(throws: ModelError.self) { try Detector(path: path) }
            #expect(error?.code == .notCalibrated)
            #expect(error?.description.contains("autoqc calibrate") == true)
            #expect(Set(faults.keys).isSuperset(of: [.unknownVersion, .notAModel, .altered]))
            let missing = #expect(throws: ModelError.self) { try Detector(path: folder.path + "/none") }
            #expect(missing?.code == .unreadable)
        }
    }

    @Test func aModelThatAnotherVersionCalibratedKeepsItsWeights() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "m.safetensors").path
            let model = try Self.model()
            var metadata = try model.metadata()
            let json = try #require(metadata[Model.descriptionKey])
            let older = json.replacingOccurrences(of: "\"severity\":", with: "\"distance\":")
            #expect(older != json)
            metadata[Model.descriptionKey] = older
            metadata[Model.digestKey] = Model.digest(json: older, weights: model.weights)
            try SafeTensors(metadata: metadata, tensors: model.weights).write(path: path)
            let read = try Model.read(path: path).model
            #expect(read.weights.mapValues(\.values) == model.weights.mapValues(\.values))
            #expect(read.description.calibrations.isEmpty)
            let error = #expect(throws: ModelError.self) { try Detector(path: path) }
            #expect(error?.description.contains("run `autoqc calibrate") == true)
        }
    }

    @Test(arguments: [(16, 16), (50, 70), (1, 1), (33, 128)])
    func framesOfAnySizeAreJudgedTheSameEachTime(height: Int, width: Int) throws {
        let detector = try Detector(model: try Self.model(), name: "test", path: "test")
        var random = TestGenerator(seed: 8)
        let frame = Frame(height: height, width: width, pixels: random.floats(height * width, in: 60...140))
        let judgements = [frame, frame].map { detector.judge($0) }
        #expect(judgements[0] == judgements[1])
        let map = try #require(judgements[0].pictures?.map)
        #expect((map.height, map.width) == (height, width))
        #expect(map.values.allSatisfy { $0.isFinite && $0 >= 0 })
    }

    @Test(arguments: [
        ("\"maskWindow\":16", "\"maskWindow\":0"),
        ("\"maskWindow\":16", "\"maskWindow\":9223372036854775807"),
        ("\"components\":16", "\"components\":9223372036854775807"),
        ("\"components\":16", "\"components\":-1"),
    ])
    func numbersThatNoModelHasAreRefused(number: String, absurd: String) throws {
        let path = packageRoot.appending(path: "examples/models/complexeye.safetensors").path
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var model = try Model.read(path: path).model
        let text = String(decoding: try encoder.encode(model.description), as: UTF8.self)
        #expect(text.contains(number))
        let changed = Data(text.replacing(number, with: absurd).utf8)
        model.description = try JSONDecoder().decode(ModelDescription.self, from: changed)
        #expect(model.description.calibrations.isEmpty)
        let refused = #expect(throws: ModelError.self) { try Detector(model: model, name: "m", path: path) }
        #expect(refused?.code == .notCalibrated)
    }
}
