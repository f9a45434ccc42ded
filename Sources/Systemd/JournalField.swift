/// One field of a journal record, for example `AUTOQC_WELL=B01`.
package struct JournalField: Sendable, Equatable {
    /// Upper-case letters, digits and `_`, at most 64, beginning with a letter.
    package let name: String
    /// Any bytes.
    package let value: [UInt8]

    /// A field of text; a name that the journal would drop is a programmer's mistake.
    package init(_ name: String, _ value: String) {
        self.init(name, bytes: Array(value.utf8))
    }

    /// A field of any bytes; a name that the journal would drop is a programmer's mistake.
    package init(_ name: String, bytes: [UInt8]) {
        precondition(Self.isValid(name: name), "'\(name)' is not the name of a journal field")
        self.name = name
        value = bytes
    }

    /// A field named after any text, upper-cased and prefixed: `well` and `autoqc_well` are `AUTOQC_WELL`.
    init(metadataKey key: String, _ value: String) {
        var name = key.utf8.map { byte in
            let upper = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte - 0x20 : byte
            return Self.isAllowed(upper) ? upper : UInt8(ascii: "_")
        }
        if !name.starts(with: Self.prefix) { name = Self.prefix + name }
        self.name = String(decoding: name.prefix(Self.longestName), as: UTF8.self)
        self.value = Array(value.utf8)
    }

    /// Whether the journal keeps a field of this name from a program.
    package static func isValid(name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= longestName else { return false }
        return first >= UInt8(ascii: "A") && first <= UInt8(ascii: "Z") && name.utf8.allSatisfy(isAllowed)
    }

    private static let longestName = 64
    private static let prefix = Array("AUTOQC_".utf8)

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
