import Foundation

/// A message in the wire format of Protocol Buffers, written field by field.
///
/// A field is a varint, its number << 3 | wire type, and then its value. Wire type 0 is a varint; 1 are eight bytes; 2 is a length
/// as a varint and so many bytes; 5 are four bytes. All are little endian; a varint has seven bits a byte, the lowest first.
struct MessageWriter {
    /// The bytes so far.
    private(set) var data = Data()

    /// Adds a whole number; one below 0 has its two's complement of 64 bits.
    mutating func add(_ field: Int, _ number: Int) {
        varint(UInt64(field) << 3)
        varint(UInt64(bitPattern: Int64(number)))
    }

    /// Adds bytes: a string in UTF-8, raw values, or a message.
    mutating func add(_ field: Int, _ bytes: some Collection<UInt8>) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(bytes.count))
        data.append(contentsOf: bytes)
    }

    /// Adds a string.
    mutating func add(_ field: Int, _ text: String) { add(field, text.utf8) }

    /// Adds a message inside this one.
    mutating func add(_ field: Int, _ fill: (inout MessageWriter) -> Void) {
        var message = MessageWriter()
        fill(&message)
        add(field, message.data)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        data.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// The fields of such a message, one after another; every length is checked before it is used.
struct MessageReader {
    /// A field's value; eight and four bytes are given as they lie there.
    enum Value {
        case number(UInt64)
        case bytes(Data.SubSequence)
    }

    private var rest: Data.SubSequence

    /// Reads the fields of a message.
    init(_ bytes: Data.SubSequence) { rest = bytes }

    /// The next field; `nil` at the end. Throws for what is no field, or is longer than its message.
    mutating func next() throws(ONNXError.Damage) -> (field: UInt64, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        let value: Value
        switch tag & 7 {
        case 0: value = .number(try varint())
        case 1: value = .bytes(try take(8))
        case 2: value = .bytes(try take(try varint()))
        case 5: value = .bytes(try take(4))
        default: throw .damaged
        }
        guard tag >> 3 > 0 else { throw .damaged }
        return (tag >> 3, value)
    }

    /// The next varint, of ten bytes at most.
    mutating func varint() throws(ONNXError.Damage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, through: 63, by: 7) {
            guard let byte = rest.popFirst() else { throw .cut }
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte & 0x80 == 0 { return value }
        }
        throw .damaged
    }

    /// Whether all has been read.
    var isAtEnd: Bool { rest.isEmpty }

    private mutating func take(_ count: UInt64) throws(ONNXError.Damage) -> Data.SubSequence {
        guard count <= UInt64(rest.count) else { throw .cut }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }
}

extension Data {
    /// Appends numbers in little endian.
    mutating func append(littleEndian words: [some FixedWidthInteger]) {
        let words = words.map(\.littleEndian)
        unsafe words.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
