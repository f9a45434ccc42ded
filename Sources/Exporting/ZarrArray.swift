import Files
import Foundation
import Frames
import Plate

/// A three-dimensional array of Zarr version 3 in one file: a plane a chunk, gzip, all of them in one shard.
///
/// A plane is read without the others, and a plate is a few hundred files. The shard has the chunks as they come and then their places, 16 bytes
/// a plane. A plane of nothing but 0 has no chunk, as 0 is what a reader takes for a chunk that is not there.
final class ZarrArray {
    enum Kind: String, Comparable {
        case uint8
        case uint16
        case uint32
        case float32

        /// The kind that holds the grey values of a frame as they are.
        init(_ type: TIFFWriter.SampleType) {
            self =
                switch type {
                case .uint8: .uint8
                case .uint16: .uint16
                case .float32: .float32
                }
        }

        private var bytes: Int {
            switch self {
            case .uint8: 1
            case .uint16: 2
            case .uint32, .float32: 4
            }
        }

        /// A plane as a chunk, rounded where the kind has whole numbers only; `nil` for a plane of 0.
        func chunk(_ pixels: [Float]) -> [UInt8]? {
            guard pixels.contains(where: { $0 != 0 }) else { return nil }
            return GzipData.compressed(packed(pixels))
        }

        private func packed(_ pixels: [Float]) -> [UInt8] {
            func whole(_ pixel: Float, below limit: Float) -> UInt32 {
                pixel > 0 ? UInt32(min(pixel + 0.5, limit)) : 0
            }
            return unsafe [UInt8](unsafeUninitializedCapacity: pixels.count * bytes) { target, count in
                for (index, pixel) in pixels.enumerated() {
                    switch self {
                    case .uint8: unsafe target[index] = UInt8(whole(pixel, below: 255))
                    case .uint16: unsafe Self.put(whole(pixel, below: 65_535), 2, at: 2 * index, target)
                    case .uint32: unsafe Self.put(whole(pixel, below: 4e9), 4, at: 4 * index, target)
                    case .float32: unsafe Self.put(pixel.bitPattern, 4, at: 4 * index, target)
                    }
                }
                count = pixels.count * bytes
            }
        }

        @inline(__always) private static func put(
            _ value: UInt32,
            _ bytes: Int,
            at offset: Int,
            _ target: UnsafeMutableBufferPointer<UInt8>
        ) {
            for byte in 0..<bytes {
                unsafe target[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))
            }
        }

        static func < (left: Kind, right: Kind) -> Bool { left.bytes < right.bytes }
    }

    private let path: String
    private let handle: Durable.Handle
    /// Where the chunk of each plane begins, and its bytes.
    private var places: [(UInt64, UInt64)]
    private var end: UInt64 = 0
    /// The place of a chunk that is not there.
    private static let missing = (UInt64.max, UInt64.max)

    /// Begins an array of planes x height x width in a folder, which is made.
    init(_ folder: ExportFolder, kind: Kind, planes: Int, _ size: (height: Int, width: Int)) throws {
        let bytes: [String: Any] = ["name": "bytes", "configuration": ["endian": "little"]]
        let gzip: [String: Any] = ["name": "gzip", "configuration": ["level": 1]]
        let shards: [String: Any] = [
            "chunk_shape": [1, size.height, size.width], "codecs": [bytes, gzip],
            "index_codecs": [bytes], "index_location": "end",
        ]
        let grid: [String: Any] = [
            "name": "regular", "configuration": ["chunk_shape": [planes, size.height, size.width]],
        ]
        let keys: [String: Any] = ["name": "default", "configuration": ["separator": "/"]]
        let document: [String: Any] = [
            "zarr_format": 3, "node_type": "array", "shape": [planes, size.height, size.width],
            "data_type": kind.rawValue, "chunk_grid": grid, "chunk_key_encoding": keys, "fill_value": 0,
            "codecs": [["name": "sharding_indexed", "configuration": shards] as [String: Any]],
            "attributes": [String: Any](), "dimension_names": ["t", "y", "x"],
        ]
        try folder.add("zarr.json") { try ExportedJSON.data(document) }
        path = "\(folder.path)/c/0/0/0"
        try Durable.makeFolders(Durable.parent(path))
        handle = try Durable.Handle(
            path + Durable.temporarySuffix,
            flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW,
            operation: "create"
        )
        places = Array(repeating: Self.missing, count: planes)
    }

    /// Adds the chunk of a plane; one without is of 0.
    func add(_ chunk: [UInt8]?, plane: Int) throws {
        guard let chunk else { return }
        try handle.write(chunk)
        places[plane] = (end, UInt64(chunk.count))
        end += UInt64(chunk.count)
    }

    /// Ends the array, which has its name from now on.
    func finish() throws {
        try handle.write(
            places.flatMap { place in
                [place.0, place.1].flatMap { value in
                    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
                }
            }
        )
        try Durable.rename(path + Durable.temporarySuffix, to: path)
    }
}

/// A folder of Zarr version 3 that holds others.
enum ZarrGroup {
    /// The version of OME-Zarr.
    static let version = "0.5"

    /// The document of the folder, with the attributes of OME and those of autoqc.
    static func document(ome: [String: Any]? = nil, autoqc: [String: Any]? = nil) -> [String: Any] {
        var attributes: [String: Any] = [:]
        if var ome {
            ome["version"] = version
            attributes["ome"] = ome
        }
        attributes["autoqc"] = autoqc
        return ["zarr_format": 3, "node_type": "group", "attributes": attributes]
    }
}
