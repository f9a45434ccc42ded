/// The members of a JSON object that are texts, numbers, truth values or lists, as text; objects in it are passed over.
///
/// One pass without recursion. Text that is no JSON gives the members before the mistake.
struct JSONScanner {
    private(set) var values: [String: String] = [:]
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
        guard skip(UInt8(ascii: "{")) else { return }
        while let name = string(), skip(UInt8(ascii: ":")), let member = member() {
            if case .known(let text) = member { values[name] = text }
            guard skip(UInt8(ascii: ",")) else { return }
        }
    }

    private enum Member {
        case known(String)
        case object
    }

    private mutating func member() -> Member? {
        skipSpace()
        guard at < bytes.count else { return nil }
        switch bytes[at] {
        case UInt8(ascii: "\""): return string().map { .known($0) }
        case UInt8(ascii: "{"): return passNested() ? .object : nil
        case UInt8(ascii: "["):
            let start = at
            return passNested() ? .known(String(decoding: bytes[start..<at], as: UTF8.self)) : nil
        default:
            let end = bytes[at...].firstIndex { [0x2C, 0x7D, 9, 10, 13, 32].contains($0) } ?? bytes.count
            defer { at = end }
            return end > at ? .known(String(decoding: bytes[at..<end], as: UTF8.self)) : nil
        }
    }

    /// Goes behind the end of an object or a list.
    private mutating func passNested() -> Bool {
        var depth = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            at += 1
            if depth == 0 { return true }
        }
        return false
    }

    /// A quoted text; escaped characters stay as they are written.
    private mutating func string() -> String? {
        guard skip(UInt8(ascii: "\"")) else { return nil }
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard at < bytes.count else { return nil }
        defer { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while at < bytes.count, [9, 10, 13, 32].contains(bytes[at]) { at += 1 }
    }
}
