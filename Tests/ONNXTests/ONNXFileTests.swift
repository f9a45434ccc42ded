import Foundation
import Tensors
import TestSupport
import Testing

@testable import ONNX

struct ONNXFileTests {
    private let convolution = Tensor((0..<24).map { Float($0) / 7 }, shape: [2, 3, 2, 2])
    private let bias = Tensor([-0.5, .infinity], shape: [2])

    private func encoded() -> Data {
        let graph = ONNXGraph(name: "test")
        let shape: [ONNXGraph.Length] = [.named("frames"), .fixed(2), .named("height"), .named("width")]
        let image = graph.input("image", shape, documentation: "")
        let result = image.convolved(
            graph.weights("a.weights", convolution),
            bias: graph.weights("a.bias", bias),
            padding: (1, 1)
        )
        graph.output(result * 0.5 + 1, "result", shape, documentation: "")
        return ONNXFile.encoded(graph, metadata: ["z": "", "a": "π \"1\""], version: "0.1.0")
    }

    @Test func weightsAndMetadataComeBack() throws {
        let file = try ONNXFile(data: encoded(), path: "test.onnx")
        let weights = try file.weights()
        #expect(file.metadata == ["z": "", "a": "π \"1\""])
        #expect(file.producer == "autoqc")
        #expect(Set(weights.keys) == ["a.weights", "a.bias"])
        #expect(weights["a.weights"]?.shape == convolution.shape)
        #expect(weights["a.weights"]?.values == convolution.values)
        #expect(weights["a.bias"]?.values == bias.values)
        #expect(encoded() == encoded())
    }

    /// Fields as ONNX numbers them, read by `MessageReader` alone.
    @Test func theFileHasTheFieldsOfTheFormat() throws {
        func fields(_ bytes: Data.SubSequence) throws -> [UInt64: [MessageReader.Value]] {
            var reader = MessageReader(bytes)
            var fields: [UInt64: [MessageReader.Value]] = [:]
            while let (field, value) = try reader.next() { fields[field, default: []].append(value) }
            return fields
        }
        func inner(_ values: [MessageReader.Value]?) throws -> [[UInt64: [MessageReader.Value]]] {
            try (values ?? []).map { value in
                guard case .bytes(let bytes) = value else { throw ONNXError.Damage.damaged }
                return try fields(bytes)
            }
        }
        func text(_ values: [MessageReader.Value]?) -> [String] {
            (values ?? []).map { value in
                if case .bytes(let bytes) = value { String(decoding: bytes, as: UTF8.self) } else { "" }
            }
        }
        func number(_ values: [MessageReader.Value]?) -> UInt64? {
            if case .number(let number)? = values?.first { number } else { nil }
        }
        let model = try fields(encoded()[...])
        #expect(number(model[1]) == 8)
        let set = try #require(try inner(model[8]).first)
        #expect(number(set[2]) == 17)
        let graph = try #require(try inner(model[7]).first)
        #expect(
            try inner(graph[1]).flatMap { text($0[4]) } == [
                "Conv", "Constant", "Mul", "Constant", "Add", "Identity",
            ]
        )
        #expect(try inner(graph[11]).flatMap { text($0[1]) } == ["image"])
        #expect(try inner(graph[12]).flatMap { text($0[1]) } == ["result"])
        let tensor = try #require(try inner(graph[5]).first)
        #expect((tensor[1] ?? []).map { number([$0]) } == [2, 2, 3, 2])
        #expect(text(tensor[8]) == ["a.weights"])
        // Each node's inputs are there before it.
        var known: Set = ["image", "a.weights", "a.bias"]
        for node in try inner(graph[1]) {
            #expect(known.isSuperset(of: text(node[1])))
            known.formUnion(text(node[2]))
        }
        #expect(known.contains("result"))
    }

    @Test func cutAndAlteredFilesDoNoHarm() throws {
        let data = encoded()
        for length in 0..<data.count {
            _ = try? ONNXFile(data: data.prefix(length), path: "cut").weights()
        }
        for length in [0, 1, data.count / 2] {
            let error = #expect(throws: ONNXError.self) {
                _ = try ONNXFile(data: data.prefix(length), path: "cut.onnx").weights()
            }
            #expect(error?.description.hasPrefix("cut.onnx: ") == true)
        }
        var random = TestGenerator(seed: 5)
        for _ in 0..<3000 {
            var altered = data
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                altered[Int.random(in: 0..<data.count, using: &random)] = UInt8.random(
                    in: 0...255,
                    using: &random
                )
            }
            _ = try? ONNXFile(data: altered, path: "altered").weights()
        }
    }

    @Test(
        arguments: [
            // A length of 2^63 and of 2^64 - 1 bytes, a varint without an end, a field of number 0, a wire type of groups.
            [0x3A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            [0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            [UInt8](repeating: 0xFF, count: 32), [0x02, 0x00], [0x3B, 0x3C],
        ] as [[UInt8]]
    )
    func hostileLengthsAreRefused(bytes: [UInt8]) {
        #expect(throws: ONNXError.self) { try ONNXFile(data: Data([0x08, 0x08] + bytes), path: "hostile") }
    }

    /// More values than the file has must take no memory.
    @Test func shapesThatTheFileDoesNotHoldAreRefused() throws {
        func file(_ lengths: [Int], type: Int = 1, bytes: Int = 8) -> Data {
            var message = MessageWriter()
            message.add(1, 8)
            message.add(7) { graph in
                graph.add(5) { tensor in
                    for length in lengths { tensor.add(1, length) }
                    tensor.add(2, type)
                    tensor.add(8, "w")
                    tensor.add(9, Data(count: bytes))
                }
            }
            return message.data
        }
        #expect(try ONNXFile(data: file([1, 2]), path: "").weights()["w"]?.shape == [1, 2])
        let wrong: [Data] = [
            file([3]), file([2, 2]), file([-1]), file([0]), file([.max, .max, 4]), file([1 << 32, 1 << 32]),
            file([2], type: 7), file([2], bytes: 7),
        ]
        for data in wrong {
            let error = #expect(throws: ONNXError.self) {
                _ = try ONNXFile(data: data, path: "w.onnx").weights()
            }
            #expect(error?.damage == .otherTensor("w"))
        }
    }
}
