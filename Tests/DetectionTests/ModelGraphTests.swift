import Checkpoints
import Diffusion
import Foundation
import Networks
import ONNX
import Tensors
import TestSupport
import Testing

@testable import Detection

struct ModelGraphTests {
    private func onnx(_ model: Model) throws -> Data { try model.onnx(path: "m", version: "0.1.0") }

    @Test(arguments: NoiseKind.allCases, [2, 4])
    func aModelComesBackWhole(noise: NoiseKind, phases: Int) throws {
        var model = try ModelTests.model(phases: phases, noise: noise)
        model.description.ranges = (0..<14).map { -0.25...Float($0) }
        model.description.about = ModelAbout()
        model.description.about?.name = "Neutrophils \"10x\" µm"
        let back = try Model(onnx: try onnx(model), path: "m.onnx")
        #expect(back.description == model.description)
        #expect(back.weights.mapValues(\.shape) == model.weights.mapValues(\.shape))
        #expect(back.weights.mapValues(\.values) == model.weights.mapValues(\.values))
    }

    @Test func theGraphHasAllLayersOnce() throws {
        let model = try ModelTests.model()
        let operators = try model.graph(path: "m").operators
        // Stem, head, three blocks of two, two halvings, two doublings; four means of SSIM by row and column, the median's neighbours.
        #expect(operators["Conv"] == 2 + 3 * 2 + 2 + 2 + 4 * 2 + 1)
        #expect(operators["SpaceToDepth"] == 1)
        #expect(operators["DepthToSpace"] == 1)
        #expect(operators["Resize"] == 2)
        // The time embedding, and one of it for each block.
        #expect(operators["Gemm"] == 1 + 3)
        let weights = try ONNXFile(data: onnx(model), path: "m").weights()
        #expect(Set(weights.keys) == Set(model.weights.keys))
    }

    @Test func cutAndAlteredFilesAreRefused() throws {
        let data = try onnx(try ModelTests.model())
        for length in stride(from: 0, to: data.count, by: 997) {
            #expect(throws: ModelError.self, "cut to \(length)") {
                try Model(onnx: data.prefix(length), path: "m.onnx")
            }
        }
        let whole = try Model(onnx: data, path: "m.onnx")
        for index in stride(from: 0, to: data.count, by: 211) {
            var altered = data
            altered[index] ^= 0x10
            // The graph itself is not read: it follows from the weights.
            guard let model = try? Model(onnx: altered, path: "m.onnx") else { continue }
            #expect(model.description == whole.description, "byte \(index)")
            #expect(model.weights.mapValues(\.values) == whole.weights.mapValues(\.values), "byte \(index)")
        }
    }

    @Test func filesOfOthersAreRefusedWithWhatToDo() throws {
        let graph = ONNXGraph(name: "other")
        let input = graph.input("x", [.fixed(1)], documentation: "")
        graph.output(input + 1, "y", [.fixed(1)], documentation: "")
        let other = ONNXFile.encoded(graph, metadata: [:], version: "1")
        let foreign = #expect(throws: ModelError.self) { try Model(onnx: other, path: "x.onnx") }
        #expect(foreign?.code == .notAModel)
        #expect(foreign?.description.contains("export-model --onnx") == true)
        let text = #expect(throws: ModelError.self) { try Model(onnx: Data("{}".utf8), path: "x.onnx") }
        #expect(text?.code == .unreadable)
        var model = try ModelTests.model()
        let weights = try #require(model.weights["exit.bias"])
        model.weights["exit.bias"] = Tensor(repeating: 1, shape: weights.shape)
        // The digest of one model, the weights of another.
        let file = try ONNXFile(data: try onnx(try ModelTests.model()), path: "")
        let mixed = ONNXFile.encoded(try model.graph(path: "m"), metadata: file.metadata, version: "1")
        let altered = #expect(throws: ModelError.self) { try Model(onnx: mixed, path: "x.onnx") }
        #expect(altered?.code == .altered)
    }

    @Test func modelsOfTheReferenceProfileAreRefused() throws {
        let error = #expect(throws: ModelError.self) {
            try ReferenceModelTests.model(.pddpm).graph(path: "m.safetensors")
        }
        #expect(error?.code == .notRealtime)
        #expect(error?.description.contains("windows") == true)
    }

    @Test func theDigestOfFilesIsThatOfTheShell() async throws {
        try await withTemporaryFolder { folder in
            let paths = (0..<3).map { folder.appending(path: "\($0).tiff").path }
            for (path, text) in zip(paths, ["b", "a", "a"]) {
                try Data(text.utf8).write(to: URL(filePath: path))
            }
            let digest = try #require(FilesDigest(of: paths))
            #expect(digest == FilesDigest(of: paths.reversed()))
            #expect(digest.files == 3)
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = [
                "-c", "sha256sum '\(folder.path)'/*.tiff | cut -c1-64 | LC_ALL=C sort | sha256sum",
            ]
            process.standardOutput = output
            try process.run()
            let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(printed.hasPrefix(digest.sha256))
            #expect(FilesDigest(of: paths + [folder.path + "/none"]) == nil)
            #expect(FilesDigest(of: []) == nil)
        }
    }
}
