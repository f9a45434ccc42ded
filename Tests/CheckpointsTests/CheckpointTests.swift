import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

struct CheckpointTests {
    private static let numbers: [Float] = [1, -2.5, 3, 0.25, 5, 6]

    private func read(_ file: TorchFile) throws -> Checkpoint {
        try Checkpoint(bytes: file.bytes, path: "made up")
    }

    /// Six values under one name, as the pickle says.
    private func sixValues(_ value: [UInt8]) throws -> Tensor? {
        let bytes = Self.numbers.flatMap { little($0.bitPattern) }
        let file = TorchFile(pickle: Pickle.whole(Pickle.dictionary([("w", value)])), storages: ["0": bytes])
        return try read(file).tensors["w"]
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func theGoldenCheckpointIsReadBitByBit() throws {
        let folder = try #require(TestData.fixtures)
        let checkpoint = try Checkpoint(path: folder.appending(path: "unet_small.ckpt").path)
        let weights = try SafeTensors(path: folder.appending(path: "unet_small.weights.safetensors").path)
        let prefix = "diffusion.model."
        let networks = checkpoint.tensors.filter { $0.key.hasPrefix(prefix) }
        #expect(networks.count == weights.tensors.count)
        for (name, tensor) in weights.tensors {
            let read = try #require(networks[prefix + name], "\(name) is missing")
            #expect(read.shape == tensor.shape)
            #expect(read.values.map(\.bitPattern) == tensor.values.map(\.bitPattern), "\(name) differs")
        }
        #expect(checkpoint.tensors["diffusion.betas"] != nil)
    }

    @Test(arguments: [
        (0, [2, 3], [3, 1], [1, -2.5, 3, 0.25, 5, 6]), (0, [3, 2], [1, 3], [1, 0.25, -2.5, 5, 3, 6]),
        (1, [2], [2], [-2.5, 0.25]), (4, [1, 1, 2], [99, .max, 1], [5, 6]), (5, [], [], [6]),
        (2, [2, 2], [0, 1], [3, 0.25, 3, 0.25]), (0, [0, 7], [7, 1], []),
    ])
    func viewsOfAStorageAreGathered(offset: Int, shape: [Int], strides: [Int], values: [Float]) throws {
        let view = Pickle.tensor(
            Pickle.storage("0", count: 6),
            offset: offset,
            shape: shape,
            strides: strides
        )
        let tensor = try #require(try sixValues(view))
        #expect(tensor.shape == shape)
        #expect(tensor.values == values)
    }

    @Test(
        arguments: [
            ("HalfStorage", 2, [0x3C00, 0xC100]), ("BFloat16Storage", 2, [0x3F80, 0xC020]),
            ("FloatStorage", 4, [0x3F80_0000, 0xC020_0000]),
            ("DoubleStorage", 8, [0x3FF0_0000_0000_0000, 0xC004_0000_0000_0000]),
        ],
        ["little", "big"]
    )
    func realTypesInBothByteOrders(type: (name: String, width: Int, bits: [UInt64]), order: String) throws {
        let bytes = type.bits.flatMap { bits in
            let word = Array(little(bits).prefix(type.width))
            return order == "big" ? word.reversed() : word
        }
        let value = Pickle.tensor(Pickle.storage("k", type: type.name, count: 2), shape: [2], strides: [1])
        let pickle = Pickle.whole(Pickle.dictionary([("w", value)]))
        let file = TorchFile(pickle: pickle, storages: ["k": bytes], byteOrder: order)
        #expect(try read(file).tensors["w"]?.values == [1, -2.5])
    }

    @Test(arguments: [
        ("CharStorage", [0xFE]), ("ShortStorage", [0xFE, 0xFF]), ("IntStorage", [0xFE, 0xFF, 0xFF, 0xFF]),
        ("LongStorage", [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    ])
    func integersBecomeNumbers(type: String, bytes: [UInt8]) throws {
        let value = Pickle.tensor(Pickle.storage("k", type: type, count: 1), shape: [], strides: [])
        let file = TorchFile(
            pickle: Pickle.whole(Pickle.dictionary([("w", value)])),
            storages: ["k": bytes],
            byteOrder: nil
        )
        #expect(try read(file).tensors["w"]?.values == [-2])
    }

    @Test func parametersOrderedDictionariesAndProtocolFour() throws {
        let tensor = Pickle.tensor(Pickle.storage("0", count: 6), shape: [6], strides: [1])
        let parameter =
            Pickle.stackGlobal("torch._utils", "_rebuild_parameter") + Pickle.mark + tensor + [0x88]
            + Pickle.orderedDictionary + Pickle.tuple + Pickle.reduce
        // A module's state dict: an OrderedDict that BUILD gives its `_metadata`.
        let state =
            Pickle.orderedDictionary + [0x94] + Pickle.mark + Pickle.text("w") + parameter
            + Pickle.text("note")
            + Pickle.text("kept out") + Pickle.setItems
            + Pickle.dictionary([("_metadata", Pickle.orderedDictionary)]) + Pickle.build
        let frame: [UInt8] = [0x95] + little(UInt64(9))
        let root = Pickle.dictionary([("epoch", Pickle.integer(3)), ("state_dict", state)])
        let file = TorchFile(
            pickle: Pickle.proto(4) + frame + root + Pickle.stop,
            storages: ["0": Self.numbers.flatMap { little($0.bitPattern) }]
        )
        let checkpoint = try read(file)
        #expect(checkpoint.tensors.mapValues(\.values) == ["w": Self.numbers])
        #expect(checkpoint.ignored == ["note"])
    }

    @Test func dictionariesOfStateDictsAreNamedByTheirKeys() throws {
        let tensor = Pickle.tensor(Pickle.storage("0", count: 6), shape: [6], strides: [1])
        let optimiser = Pickle.dictionary([("state", Pickle.dictionary([("0", tensor)]))])
        let root = Pickle.dictionary([
            ("G", Pickle.dictionary([("w", tensor)])), ("D", Pickle.dictionary([("w", tensor)])),
            ("optimiser", optimiser),
        ])
        let storages = ["0": Self.numbers.flatMap { little($0.bitPattern) }]
        let checkpoint = try read(TorchFile(pickle: Pickle.whole(root), storages: storages))
        #expect(checkpoint.tensors.keys.sorted() == ["D.w", "G.w"])
    }

    @Test func hyperParametersOfKnownClassesAreLeftOut() throws {
        let tensor = Pickle.tensor(Pickle.storage("0", count: 6), shape: [6], strides: [1])
        let settings =
            Pickle.global("omegaconf.dictconfig", "DictConfig") + Pickle.emptyTuple + [0x81]
            + Pickle.dictionary([("_content", Pickle.emptyDictionary)]) + Pickle.build
        let root = Pickle.dictionary([
            ("state_dict", Pickle.dictionary([("w", tensor)])), ("hyper_parameters", settings),
        ])
        let storages = ["0": Self.numbers.flatMap { little($0.bitPattern) }]
        let checkpoint = try read(TorchFile(pickle: Pickle.whole(root), storages: storages))
        #expect(checkpoint.tensors.keys.sorted() == ["w"])
    }

    @Test func safeTensorsAreReadInEveryType() throws {
        let header = """
            {"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"n":{"dtype":"I64","shape":[],"data_offsets":[4,12]},\
            "b":{"dtype":"BF16","shape":[1],"data_offsets":[12,14]}}
            """
        let body =
            little(UInt16(0x3C00)) + little(UInt16(0xC100)) + little(Int64(-7)) + little(UInt16(0xC020))
        let bytes = little(UInt64(header.utf8.count)) + Array(header.utf8) + body
        let read = try Checkpoint(bytes: bytes, path: "made up").tensors
        #expect(read.mapValues(\.values) == ["h": [1, -2.5], "n": [-7], "b": [-2.5]])
    }
}
