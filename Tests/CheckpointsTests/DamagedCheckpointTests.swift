import Checkpoints
import Foundation
import TestSupport
import Testing

struct DamagedCheckpointTests {
    /// A checkpoint of two tensors that share a storage.
    private static let pickle: [UInt8] = {
        let storage = Pickle.storage("0", count: 6)
        let transposed = Pickle.tensor(storage, shape: [3, 2], strides: [1, 3])
        let state = Pickle.dictionary([
            ("a", transposed), ("b", Pickle.tensor(storage, offset: 2, shape: [4], strides: [1])),
        ])
        return Pickle.whole(Pickle.dictionary([("epoch", Pickle.integer(1)), ("state_dict", state)]))
    }()
    private static let storages = ["0": (0..<6).flatMap { little(Float($0).bitPattern) }]
    private static let file = TorchFile(pickle: pickle, storages: storages)

    private func error(_ bytes: [UInt8]) -> CheckpointError? {
        do {
            _ = try Checkpoint(bytes: bytes, path: "made up")
            return nil
        } catch { return error }
    }

    @Test func theWholeFileIsRead() { #expect(error(Self.file.bytes) == nil) }

    @Test func everyCutIsRefused() {
        let bytes = Self.file.bytes
        for length in bytes.indices {
            #expect(error(Array(bytes.prefix(length))) != nil, "cut to \(length)")
        }
    }

    @Test func aFlippedBitInAnEntryIsNoticed() {
        let bytes = Self.file.bytes
        let storage = Self.storages["0", default: []]
        let start = bytes.indices.first { bytes[$0...].starts(with: storage) }
        #expect(start != nil)
        for position in (start ?? 0)..<(start ?? 0) + storage.count {
            var flipped = bytes
            flipped[position] ^= 0x10
            #expect(error(flipped)?.code == .damaged)
        }
    }

    /// The archive itself: directory, headers, names, contents.
    @Test func mutatedArchivesNeverCrash() {
        let bytes = Self.file.bytes
        var random = Seeded(state: 1)
        for _ in 0..<3000 {
            let mutated = Self.mutate(bytes, using: &random)
            if let error = error(mutated) { #expect(error.description.hasPrefix("made up: ")) }
        }
    }

    /// The pickle below the checksum: each mutation gets an archive that is whole.
    @Test func mutatedPicklesNeverCrash() {
        var random = Seeded(state: 2)
        for _ in 0..<3000 {
            let file = TorchFile(pickle: Self.mutate(Self.pickle, using: &random), storages: Self.storages)
            if let error = error(file.bytes) { #expect(error.description.hasPrefix("made up: ")) }
        }
    }

    private static func mutate(_ bytes: [UInt8], using random: inout Seeded) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0..<3, using: &random) {
            guard let position = bytes.indices.randomElement(using: &random) else { return bytes }
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[position] = [0x00, 0x7F, 0x80, 0xFF, 0x28, 0x52].randomElement(using: &random) ?? 0
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
            case 3: bytes.remove(at: position)
            default:
                let end = min(bytes.count, position + Int.random(in: 1..<40, using: &random))
                bytes.insert(
                    contentsOf: bytes[position..<end],
                    at: bytes.indices.randomElement(using: &random) ?? 0
                )
            }
        }
        return bytes
    }

    @Test func compressedEntriesAreRefused() {
        var file = Self.file
        file.method = 8
        #expect(error(file.bytes)?.code == .unsupported)
    }

    @Test func anArchiveMustBeAsTorchWritesIt() {
        #expect(error(TorchFile(pickle: Self.pickle).bytes)?.description.contains("lacks data/0") == true)
        let short = TorchFile(pickle: Self.pickle, storages: ["0": Array(repeating: 0, count: 20)])
        #expect(
            error(short.bytes)?.description.contains("data/0 has 20 bytes where its tensors need 24") == true
        )
        let order = TorchFile(pickle: Self.pickle, storages: Self.storages, byteOrder: "middle")
        #expect(error(order.bytes)?.code == .damaged)
        var script = Self.file
        script.entries.append(("constants.pkl", []))
        #expect(error(script.bytes)?.description.contains("TorchScript") == true)
        var twice = Self.file
        twice.entries.append(("data.pkl", Self.pickle))
        #expect(error(twice.bytes)?.code == .damaged)
        var other = Self.file
        other.entries.removeFirst()
        #expect(error(other.bytes)?.code == .notACheckpoint)
    }

    @Test(
        arguments: [
            (
                [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8], .unsupported,
                "before 1.6"
            ),
            ([0x80, 0x04, 0x95, 0, 0, 0, 0, 0, 0, 0], .unsupported, "bare pickle"), ([], .damaged, "empty"),
            (Array("just some text, no model".utf8), .notACheckpoint, "neither"),
            ([0xFF, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], .damaged, "header"),
        ] as [([UInt8], CheckpointError.Code, String)]
    )
    func otherFilesAreNamed(bytes: [UInt8], code: CheckpointError.Code, word: String) throws {
        let error = try #require(self.error(bytes))
        #expect(error.code == code)
        #expect(error.description.contains(word))
    }

    @Test func pathsThatAreNoFilesAreNamed() async throws {
        try await withTemporaryFolder { folder in
            for path in [folder.path, folder.appending(path: "absent.ckpt").path] {
                let error = #expect(throws: CheckpointError.self) { try Checkpoint(path: path) }
                #expect(error?.description.hasPrefix(path) == true)
            }
        }
    }
}
