import Foundation
import Frames
import Plate

/// A three-dimensional array of Zarr version 3 on disk, one plane a chunk, gzip; planes of nothing but 0 are left out, as 0 is
/// what a reader takes for a chunk that is not there.
struct ZarrArray {
    enum Kind: Int, Comparable {
        case uint8
        case uint16
        case float32

        /// The smallest that holds the values as they are.
        static func holding(_ pixels: [Float]) -> Kind {
            var kind = Kind.uint8
            for pixel in pixels {
                if pixel != pixel.rounded() || pixel < 0 || pixel > 65_535 { return .float32 }
                if pixel > 255 { kind = .uint16 }
            }
            return kind
        }

        static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    let folder: URL
    let kind: Kind

    /// Writes the metadata of the array `0` of a group: planes x height x width.
    init(_ group: URL, kind: Kind, planes: Int, _ size: (height: Int, width: Int)) throws {
        folder = group.appending(path: "0")
        self.kind = kind
        var codecs: [[String: Any]] = [["name": "bytes"]]
        if kind != .uint8 { codecs[0]["configuration"] = ["endian": "little"] }
        codecs.append(["name": "gzip", "configuration": ["level": 1]])
        let grid: [String: Any] = [
            "name": "regular", "configuration": ["chunk_shape": [1, size.height, size.width]],
        ]
        let keys: [String: Any] = ["name": "default", "configuration": ["separator": "/"]]
        try ZarrGroup.write(
            [
                "zarr_format": 3, "node_type": "array", "shape": [planes, size.height, size.width],
                "data_type": "\(kind)", "chunk_grid": grid, "chunk_key_encoding": keys, "fill_value": 0,
                "codecs": codecs, "attributes": [String: Any](), "dimension_names": ["t", "y", "x"],
            ],
            to: folder
        )
    }

    /// Writes one plane; values must be of the array's kind.
    func write(_ pixels: [Float], plane: Int) throws {
        guard pixels.contains(where: { $0 != 0 }) else { return }
        let bytes: [UInt8] =
            switch kind {
            case .uint8: pixels.map { UInt8(saturating: $0) }
            case .uint16:
                pixels.flatMap { pixel in
                    let value = UInt16(saturating: pixel)
                    return [UInt8(value & 255), UInt8(value >> 8)]
                }
            case .float32: pixels.packed
            }
        let place = folder.appending(path: "c/\(plane)/0")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try Data(GzipData.compressed(bytes)).write(to: place.appending(path: "0"))
    }
}

/// A folder of Zarr version 3 that holds others.
enum ZarrGroup {
    /// Makes the folder with what OME says of it, and what autoqc says.
    static func make(_ folder: URL, ome: [String: Any]? = nil, autoqc: [String: Any]? = nil) throws {
        var attributes: [String: Any] = [:]
        if var ome {
            ome["version"] = "0.5"
            attributes["ome"] = ome
        }
        attributes["autoqc"] = autoqc
        try write(["zarr_format": 3, "node_type": "group", "attributes": attributes], to: folder)
    }

    static func write(_ metadata: [String: Any], to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let data = try JSONSerialization.data(
            withJSONObject: metadata,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        )
        try data.write(to: folder.appending(path: "zarr.json"))
    }
}
