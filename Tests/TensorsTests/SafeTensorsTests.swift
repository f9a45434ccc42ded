import Foundation
import Tensors
import TestSupport
import Testing

struct SafeTensorsTests {
    private let sample = SafeTensors(
        metadata: ["format": "1", "note": "a \"quoted\" line\nand another"],
        tensors: [
            "b": Tensor([1, -2.5, .infinity], shape: [3]), "a/β": Tensor([0.1, 2, 3, 4], shape: [2, 2]),
            "scalar": Tensor([7], shape: []),
        ]
    )

    @Test func whatIsWrittenIsRead() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "m.safetensors").path
            try sample.write(path: path)
            let read = try SafeTensors(path: path)
            #expect(read.metadata == sample.metadata)
            #expect(read.tensors.mapValues(\.shape) == sample.tensors.mapValues(\.shape))
            #expect(read.tensors.mapValues(\.values) == sample.tensors.mapValues(\.values))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["m.safetensors"])
        }
    }

    @Test func everyCutIsRefused() throws {
        let data = try sample.encoded()
        for length in 0..<data.count {
            #expect(throws: SafeTensorsError.self) {
                try SafeTensors(data: data.prefix(length), path: "cut to \(length)")
            }
        }
        #expect(throws: SafeTensorsError.self) { try SafeTensors(data: data + [0], path: "longer") }
    }

    @Test func flippedBytesNeverCrash() throws {
        let data = try sample.encoded()
        for index in 0..<data.count {
            for bit in [0, 3, 7] {
                var flipped = data
                flipped[index] ^= 1 << UInt8(bit)
                _ = try? SafeTensors(data: flipped, path: "flipped")
            }
        }
    }

    @Test(arguments: [
        "[]", "{\"a\":3}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}",
        "{\"a\":{\"dtype\":\"Q9\",\"shape\":[1],\"data_offsets\":[0,4]}}", "{\"__metadata__\":{\"a\":1}}",
    ])
    func wrongHeadersAreRefused(header: String) {
        let length = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
        #expect(throws: SafeTensorsError.self) {
            try SafeTensors(data: length + Data(header.utf8) + Data(count: 4), path: "made up")
        }
    }
}
