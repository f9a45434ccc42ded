import Foundation
import Frames
import Plate
import Reporting

/// The regions of a mask as ImageJ's ROI manager reads them: a zip archive of `.roi` files, one a region.
///
/// The outlines are those of the GeoJSON file beside the mask, and so are names and colours. Cause, severity, score and confidence are
/// properties of each region. The format is that of ImageJ's `RoiDecoder`, version 227: big-endian numbers at fixed places.
enum RegionArchive {
    /// The archive; the same regions give the same bytes.
    static func bytes(of outline: MaskOutline, _ judgement: Judgement, frame: String) -> [UInt8] {
        let figures: [(String, Double?)] = [
            ("severity", judgement.severity), ("score", judgement.score),
            ("confidence", judgement.confidence),
        ]
        let properties =
            ["cause: \(judgement.cause.cause.rawValue)"]
            + figures.compactMap { name, value in
                value?.isFinite == true ? value.map { "\(name): \($0)" } : nil
            }
        var archive = StoredArchive()
        for (number, region) in outline.regions.enumerated() {
            let name = "\(frame) \(number + 1)"
            archive.add(
                "\(name).roi",
                file(
                    region,
                    name: name,
                    colour: judgement.cause.cause.colour,
                    properties: (properties + ["pixels: \(region.pixels)"]).map { $0 + "\n" }.joined()
                )
            )
        }
        return archive.bytes
    }

    private static let version = 227
    /// Bytes of each of the two headers.
    private static let header = 64

    private static func file(
        _ region: MaskOutline.Region,
        name: String,
        colour: [Int],
        properties: String
    ) -> [UInt8] {
        guard let outer = region.rings.first else { return [] }
        let (xs, ys) = (outer.map(\.x), outer.map(\.y))
        let (left, top) = (xs.min() ?? 0, ys.min() ?? 0)
        // A polygon is closed without its first corner again. What has holes is a path of floats.
        let corners = outer.dropLast()
        let isPolygon = region.rings.count == 1 && corners.count <= Int(UInt16.max)
        let path = isPolygon ? [] : region.rings.flatMap(path)
        var data = BigEndian()
        if isPolygon {
            for corner in corners { data.put(corner.x - left, 2) }
            for corner in corners { data.put(corner.y - top, 2) }
        } else {
            for value in path { data.put(Int(value.bitPattern), 4) }
        }
        let second = header + data.bytes.count
        let (name, properties) = (Array(name.utf16), Array(properties.utf16))

        var file = BigEndian()
        file.bytes += Array("Iout".utf8)
        file.put(version, 2)
        // A polygon, or, with a path, what the format calls a rectangle.
        file.put(isPolygon ? 0 : 1, 1)
        file.put(0, 1)
        for side in [top, left, ys.max() ?? 0, xs.max() ?? 0] { file.put(side, 2) }
        file.put(isPolygon ? corners.count : 0, 2)
        file.fill(to: 36)
        file.put(path.count, 4)
        file.put(colour.reduce(255) { $0 << 8 | $1 }, 4)
        file.fill(to: 60)
        file.put(second, 4)
        file.bytes += data.bytes
        file.fill(to: second + 16)
        file.put(second + header, 4)
        file.put(name.count, 4)
        file.fill(to: second + 40)
        file.put(second + header + 2 * name.count, 4)
        file.put(properties.count, 4)
        file.fill(to: second + header)
        for unit in name + properties { file.put(Int(unit), 2) }
        return file.bytes
    }

    /// A ring as steps of a path: to the first corner (0), along the others (1), closed (4).
    private static func path(_ ring: [MaskOutline.Corner]) -> [Float] {
        ring.dropLast().enumerated().flatMap { index, corner in
            [index == 0 ? 0 : 1, Float(corner.x), Float(corner.y)]
        } + [4]
    }

    private struct BigEndian {
        var bytes: [UInt8] = []

        mutating func put(_ value: Int, _ count: Int) {
            for byte in (0..<count).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte)))
            }
        }

        mutating func fill(to count: Int) {
            bytes += [UInt8](repeating: 0, count: max(0, count - bytes.count))
        }
    }
}

/// A zip archive whose files are stored as they are, without times: the same files give the same bytes.
struct StoredArchive {
    private var files: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    /// The archive with the files so far; of less than 4 GiB and 65,536 files.
    var bytes: [UInt8] {
        files + directory + Self.little(0x0605_4B50, 4) + Self.little(0, 4)
            + Self.little(count, 2) + Self.little(count, 2)
            + Self.little(directory.count, 4) + Self.little(files.count, 4) + Self.little(0, 2)
    }

    /// Adds a file.
    mutating func add(_ name: String, _ content: [UInt8]) {
        let name = Array(name.utf8)
        // Version 2.0, names in UTF-8, stored, 1 January 1980; checksum and sizes; no extra fields.
        let common =
            Self.little(20, 2) + Self.little(0x0800, 2) + Self.little(0, 2) + Self.little(0, 2)
            + Self.little(0x0021, 2) + Self.little(Int(GzipData.checksum(content)), 4)
            + Self.little(content.count, 4) + Self.little(content.count, 4)
            + Self.little(name.count, 2) + Self.little(0, 2)
        directory +=
            Self.little(0x0201_4B50, 4) + Self.little(20, 2) + common + Self.little(0, 10)
            + Self.little(files.count, 4) + name
        files += Self.little(0x0403_4B50, 4) + common + name + content
        count += 1
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
    }
}
