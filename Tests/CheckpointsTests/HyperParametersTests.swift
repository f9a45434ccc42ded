import Checkpoints
import Foundation
import TestSupport
import Testing

struct HyperParametersTests {
    private func parameters(_ value: [UInt8]) throws -> [String: HyperParameters.Value] {
        let tensor = Pickle.tensor(Pickle.storage("0", count: 6), shape: [6], strides: [1])
        let state = Pickle.dictionary([("w", tensor)])
        let root = Pickle.dictionary([("state_dict", state), ("hyper_parameters", value)])
        let file = TorchFile(pickle: Pickle.whole(root), storages: ["0": [UInt8](repeating: 0, count: 24)])
        return try Checkpoint(bytes: file.bytes, path: "made up").hyperParameters.values
    }

    /// The settings that a trainer wrote, as OmegaConf and as plain dictionaries hold them.
    @Test func valuesAreReadFromContainersAndDictionaries() throws {
        let list = Pickle.configuration(
            "listconfig.ListConfig",
            [
                ("_content", Pickle.list([Pickle.node(Pickle.integer(1)), Pickle.node(Pickle.integer(2))]))
            ]
        )
        let entries = [
            ("name", Pickle.node(Pickle.text("DDPM"))), ("unet_dim", Pickle.node(Pickle.integer(32))),
            ("lr", Pickle.node(Pickle.real(0.5))), ("inpaint", Pickle.node([0x88])), ("dim_mults", list),
            ("later", Pickle.node(Pickle.text("${other}"))), ("missing", Pickle.node(Pickle.text("???"))),
            ("none", Pickle.node([0x4E])),
        ]
        let expected: [String: HyperParameters.Value] = [
            "name": .text("DDPM"), "unet_dim": .integer(32), "lr": .real(0.5), "inpaint": .boolean(true),
            "dim_mults": .list([.integer(1), .integer(2)]), "prefix": .text("1/"),
        ]
        let container = Pickle.configuration(
            "dictconfig.DictConfig",
            [("_content", Pickle.dictionary(entries))]
        )
        let attributes = Pickle.global("pytorch_lightning.utilities.parsing", "AttributeDict")
        for outer in [Pickle.emptyDictionary, attributes + Pickle.emptyTuple + [0x81]] {
            for inner in [container, Pickle.dictionary(entries)] {
                let pickle =
                    outer + Pickle.mark + Pickle.text("cfg") + inner + Pickle.text("prefix")
                    + Pickle.text("1/") + Pickle.setItems
                #expect(try parameters(pickle) == expected)
            }
        }
    }

    @Test func whatHoldsItselfEnds() throws {
        // A node whose value is the node: NEWOBJ, memorised, and recalled as its own value.
        let state = Pickle.dictionary([("_val", [0x68, 0x00])])
        let itself =
            Pickle.global("omegaconf.nodes", "AnyNode") + Pickle.emptyTuple + [0x81, 0x94] + state
            + Pickle.build
        #expect(try parameters(Pickle.dictionary([("cfg", itself)])) == [:])
        #expect(try parameters(itself) == [:])
    }

    /// What Python 3 writes for its plain types in protocol 2, and in later ones.
    @Test(
        arguments: ["__builtin__", "builtins"],
        [
            "int", "long", "float", "complex", "bool", "str", "unicode", "bytes", "bytearray", "list",
            "tuple", "dict",
            "set", "frozenset", "slice", "range", "xrange", "object", "type",
        ]
    )
    func plainTypesAreNames(module: String, name: String) throws {
        let pickle = Pickle.dictionary([
            ("element_type", Pickle.global(module, name)), ("n", Pickle.integer(3)),
        ])
        #expect(try parameters(pickle) == ["n": .integer(3)])
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func everyCheckpointOfThePublishedTrainerIsRead() throws {
        let folder = try #require(TestData.fixtures).appending(path: "lightning")
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        let lightning = names.filter { $0.hasSuffix(".ckpt") }
        #expect(!lightning.isEmpty)
        for name in lightning {
            let checkpoint = try Checkpoint(path: folder.appending(path: name).path)
            #expect(!checkpoint.tensors.isEmpty)
            for entry in ["imageDim", "dim_mults", "unet_dim", "objective"] {
                #expect(checkpoint.hyperParameters.values[entry] != nil, "\(name): \(entry)")
            }
        }
        for name in names where name.hasSuffix(".pth") {
            let checkpoint = try Checkpoint(path: folder.appending(path: name).path)
            #expect(!checkpoint.tensors.isEmpty && checkpoint.hyperParameters == HyperParameters())
        }
    }
}
