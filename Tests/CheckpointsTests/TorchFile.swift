/// A zip archive as `torch.save` lays it out, made byte by byte.
struct TorchFile {
    /// Entries below the archive's folder, in their order.
    var entries: [(name: String, bytes: [UInt8])]
    /// The compression that every entry claims; 0 is stored.
    var method: UInt16 = 0

    init(pickle: [UInt8], storages: [String: [UInt8]] = [:], byteOrder: String? = "little") {
        entries = [("data.pkl", pickle)]
        if let byteOrder { entries.append(("byteorder", Array(byteOrder.utf8))) }
        entries += storages.sorted { $0.key < $1.key }.map { ("data/\($0.key)", $0.value) }
    }

    /// The file.
    var bytes: [UInt8] {
        var (file, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, content) in entries {
            let name = Array("archive/\(name)".utf8)
            let common =
                little(UInt16(0)) + little(method) + little(UInt32(0x21_0000))
                + little(Self.checksum(content))
                + little(UInt32(content.count)) + little(UInt32(content.count)) + little(UInt16(name.count))
                + little(UInt16(0))
            directory += little(UInt32(0x0201_4B50)) + little(UInt16(20)) + little(UInt16(20)) + common
            directory += little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0)) + little(UInt32(0))
            directory += little(UInt32(file.count)) + name
            file += little(UInt32(0x0403_4B50)) + little(UInt16(20)) + common + name + content
        }
        let end =
            little(UInt32(0x0605_4B50)) + little(UInt32(0)) + little(UInt16(entries.count))
            + little(UInt16(entries.count)) + little(UInt32(directory.count)) + little(UInt32(file.count))
        return file + directory + end + little(UInt16(0))
    }

    /// CRC-32 as zip has it.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
            }
        }
    }
}

/// A number's bytes, the lowest first.
func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number(8 * $0)) }
}

/// Pieces of a pickle, opcode by opcode.
enum Pickle {
    static let stop: [UInt8] = [0x2E]
    static let mark: [UInt8] = [0x28]
    static let tuple: [UInt8] = [0x74]
    static let emptyTuple: [UInt8] = [0x29]
    static let emptyDictionary: [UInt8] = [0x7D]
    static let setItems: [UInt8] = [0x75]
    static let reduce: [UInt8] = [0x52]
    static let build: [UInt8] = [0x62]
    static let persistentID: [UInt8] = [0x51]
    static let orderedDictionary = global("collections", "OrderedDict") + emptyTuple + reduce

    static func proto(_ version: UInt8 = 2) -> [UInt8] { [0x80, version] }

    static func text(_ text: String) -> [UInt8] {
        [0x58] + little(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    static func shortText(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }

    /// LONG1, which takes any number.
    static func integer(_ number: Int) -> [UInt8] { [0x8A, 8] + little(number) }

    static func global(_ module: String, _ name: String) -> [UInt8] {
        [0x63] + Array("\(module)\n\(name)\n".utf8)
    }

    static func stackGlobal(_ module: String, _ name: String) -> [UInt8] {
        shortText(module) + shortText(name) + [0x93]
    }

    static func integers(_ numbers: [Int]) -> [UInt8] { mark + numbers.flatMap(integer) + tuple }

    static func storage(_ key: String, type: String = "FloatStorage", count: Int) -> [UInt8] {
        mark + text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count) + tuple
            + persistentID
    }

    /// A call of `_rebuild_tensor_v2`.
    static func tensor(_ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
        global("torch._utils", "_rebuild_tensor_v2") + mark + storage + integer(offset) + integers(shape)
            + integers(strides) + [0x89] + orderedDictionary + tuple + reduce
    }

    /// A dictionary of what comes as key and pickled value.
    static func dictionary(_ entries: [(String, [UInt8])]) -> [UInt8] {
        emptyDictionary + mark + entries.flatMap { text($0.0) + $0.1 } + setItems
    }

    /// BINFLOAT, the highest byte first.
    static func real(_ number: Double) -> [UInt8] { [0x47] + little(number.bitPattern).reversed() }

    static func list(_ values: [[UInt8]]) -> [UInt8] { [0x5D] + mark + values.flatMap(\.self) + [0x65] }

    /// An object of OmegaConf with its attributes.
    static func configuration(_ name: String, _ attributes: [(String, [UInt8])]) -> [UInt8] {
        let parts = name.split(separator: ".")
        return global("omegaconf.\(parts[0])", "\(parts[1])") + emptyTuple + [0x81] + dictionary(attributes)
            + build
    }

    /// OmegaConf's node around a value.
    static func node(_ value: [UInt8]) -> [UInt8] {
        configuration("nodes.AnyNode", [("_parent", [0x4E]), ("_val", value)])
    }

    /// A whole pickle of one value.
    static func whole(_ value: [UInt8]) -> [UInt8] { proto() + value + stop }
}

/// A generator whose numbers follow from its seed, for mutations that can be repeated.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 32 | state << 32
    }
}
