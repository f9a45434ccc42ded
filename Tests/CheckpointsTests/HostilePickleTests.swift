import Checkpoints
import Testing

/// Pickles that want to do harm: each is refused with a sentence, and nothing of it runs.
struct HostilePickleTests {
    private func refusal(_ pickle: [UInt8], limits: CheckpointLimits = .default) -> CheckpointError? {
        let file = TorchFile(pickle: pickle, storages: ["0": [UInt8](repeating: 0, count: 24)])
        do {
            _ = try Checkpoint(bytes: file.bytes, path: "made up", limits: limits)
            return nil
        } catch { return error }
    }

    private static let command = Pickle.mark + Pickle.text("touch /tmp/owned") + Pickle.tuple + Pickle.reduce

    @Test(arguments: [
        Pickle.global("os", "system"), Pickle.stackGlobal("os", "system"),
        Pickle.dictionary([("state_dict", Pickle.global("os", "system"))]),
    ])
    func commandsAreRefusedByName(function: [UInt8]) throws {
        let error = try #require(refusal(Pickle.proto() + function + Self.command + Pickle.stop))
        #expect(error.code == .refused)
        #expect(error.description.contains("os.system at byte "))
        #expect(error.description.contains("do not load this file in Python"))
        #expect(!error.description.contains("weights_only=False"))
    }

    @Test func theOffsetIsTheOpcodes() throws {
        let error = try #require(
            refusal(Pickle.proto() + [0x4E] + Pickle.global("os", "system") + Self.command)
        )
        #expect(error.description.contains("os.system at byte 3,"))
    }

    @Test(arguments: [
        ("builtins", "eval"), ("builtins", "getattr"), ("__builtin__", "exec"), ("posix", "system"),
        ("torch", "load"), ("torch.hub", "load"), ("torch._utils", "_rebuild_tensor_v2\u{0}"),
        ("torch._utils._rebuild_tensor_v2", ""), ("", ""), ("torch", "ComplexFloatStorage"),
    ])
    func otherNamesAreRefused(module: String, name: String) throws {
        let error = try #require(refusal(Pickle.proto() + Pickle.global(module, name) + Pickle.stop))
        #expect(error.code == .refused)
    }

    @Test(arguments: [
        Pickle.emptyTuple, Pickle.emptyDictionary, Pickle.text("text"),
        Pickle.tensor(Pickle.storage("0", count: 6), shape: [6], strides: [1]),
        Pickle.global("collections", "OrderedDict"),
    ])
    func attributesOfOtherThingsAreRefused(target: [UInt8]) throws {
        let pickle = Pickle.whole(
            target + Pickle.dictionary([("__class__", Pickle.text("x"))]) + Pickle.build
        )
        #expect(try #require(refusal(pickle)).code == .refused)
    }

    @Test(arguments: [
        Pickle.text("f") + Pickle.emptyTuple + Pickle.reduce,
        Pickle.global("torch", "FloatStorage") + Pickle.emptyTuple + Pickle.reduce,
        Pickle.global("collections", "OrderedDict") + Pickle.emptyTuple + [0x81],
        Pickle.global("typing", "Any") + Pickle.emptyTuple + Pickle.reduce + Pickle.emptyTuple
            + Pickle.reduce,
        Pickle.text("os.system") + Pickle.persistentID,
    ])
    func otherCallsAreRefused(value: [UInt8]) throws {
        #expect(try #require(refusal(Pickle.whole(value))).code == .refused)
    }

    @Test(
        arguments: [
            (0x69, "INST"), (0x6F, "OBJ"), (0x82, "EXT1"), (0x50, "PERSID"), (0x97, "NEXT_BUFFER"),
            (0xFF, "0xff"),
            (0x00, "0x0"),
        ] as [(UInt8, String)]
    )
    func opcodesAreRefusedByName(opcode: UInt8, name: String) throws {
        let error = try #require(refusal(Pickle.proto() + [opcode, 0, 0, 0]))
        #expect(error.code == .refused)
        #expect(error.description.contains("\(name)") && error.description.contains("at byte 2"))
    }

    @Test func namesCannotSteerATerminal() throws {
        let error = try #require(
            refusal(Pickle.proto() + Pickle.global("os\u{1B}[2J", "sys\rtem") + Pickle.stop)
        )
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test func whatNeverEndsIsTooLarge() throws {
        var limits = CheckpointLimits()
        (limits.maximumStack, limits.maximumMemo, limits.maximumObjects) = (1000, 1000, 1000)
        let endless: [[UInt8]] = [
            Array(repeating: 0x28, count: 5000), Array(repeating: 0x4E, count: 5000),
            [0x4E] + Array(repeating: 0x94, count: 5000),
            Array(repeating: [0x5D, 0x30], count: 5000).flatMap(\.self),
            [0x4E] + (0..<5000).flatMap { [0x72] + little(UInt32($0) &* 0x0101_0101) },
        ]
        for pickle in endless {
            #expect(
                try #require(refusal(Pickle.proto() + pickle + Pickle.stop, limits: limits)).code == .tooLarge
            )
        }
    }

    /// A million tuples in each other, and a list in itself: neither recursion nor a leak.
    @Test func deepNestingIsHarmless() throws {
        let nested =
            Pickle.proto() + Pickle.emptyTuple + Array(repeating: 0x85, count: 1_000_000) + Pickle.stop
        #expect(try #require(refusal(nested)).code == .notACheckpoint)
        let itself: [UInt8] = [0x5D, 0x94, 0x68, 0x00, 0x61]
        #expect(try #require(refusal(Pickle.whole(itself))).code == .notACheckpoint)
    }

    @Test(
        arguments: [
            (.max, [6], [1], 0), (-1, [6], [1], 0), (6, [7], [1], 0), (6, [6], [1], 1), (6, [6], [1], -1),
            (6, [-6], [1], 0), (6, [2, 3], [.max, 1], 0), (6, [.max, .max], [0, 0], 0),
            (6, [2, 3], [3, -1], 0),
            (6, [1 << 62], [0], 0), (1 << 40, [6], [1], 0), (6, [6], [1], .max), (6, [.max], [.max], .max),
            (6, [1 << 40, 0], [0, 0], 6),
            (6, Array(repeating: 1, count: 9), Array(repeating: 1, count: 9), 0),
            (6, [2, 3], [1], 0), (5, [5], [1], 0),
        ] as [(Int, [Int], [Int], Int)]
    )
    func sizesAreCheckedBeforeMemoryIsTaken(count: Int, shape: [Int], strides: [Int], offset: Int) throws {
        let tensor = Pickle.tensor(
            Pickle.storage("0", count: count),
            offset: offset,
            shape: shape,
            strides: strides
        )
        let error = refusal(Pickle.whole(Pickle.dictionary([("w", tensor)])))
        // An empty tensor over a fitting storage is odd but harmless.
        if shape.contains(0) { return #expect(error == nil) }
        #expect([.damaged, .tooLarge].contains(try #require(error).code))
    }

    @Test(
        arguments: [
            [0x58, 0xFF, 0xFF, 0xFF, 0xFF], [0x8D] + little(UInt64.max), [0x8B, 0xFF, 0xFF, 0xFF, 0x7F],
            [0x8E] + little(UInt64(1) << 62), [0x95], [0x63] + Array(repeating: 0x61, count: 4000),
            [0x80, 9], [],
            [0x74], [0x85], [0x30], [0x31], [0x2E], [0x62], [0x52], [0x93], [0x51], [0x68, 7], [0x61], [0x75],
            [0x58, 1, 0, 0, 0, 0xFF], [0x5D, 0x4E, 0x4E, 0x73], [0x7D, 0x28, 0x4E, 0x75], [0x28, 0x30, 0x30],
        ] as [[UInt8]]
    )
    func brokenPicklesAreRefused(pickle: [UInt8]) throws {
        let error = try #require(refusal(Pickle.proto() + pickle + Pickle.stop))
        #expect(error.description.contains("made up: "))
    }
}
