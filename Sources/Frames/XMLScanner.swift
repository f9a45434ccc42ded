/// Walks through the tags of XML, in one pass and without recursion; elements are never nested in memory.
///
/// Comments, CDATA sections and processing instructions are passed over. Text that is not well-formed and a document type
/// declaration end the walk.
struct XMLScanner {
    private static let stops: [UInt8] = [9, 10, 13, 32] + Array("=/><\"'".utf8)

    private let bytes: ArraySlice<UInt8>
    private var at: Int
    /// Whether the walk ended before the end of the text.
    private(set) var isBroken = false

    init(_ xml: String) {
        bytes = ArraySlice(xml.utf8)
        at = bytes.startIndex
    }

    /// Goes on to the next start tag and returns its local name, whatever its prefix; `nil` at the end.
    ///
    /// With `endOf`, an end tag of that name ends the walk, too.
    mutating func nextElement(endOf parent: String? = nil) -> String? {
        while let open = position(of: UInt8(ascii: "<")) {
            at = open + 1
            if skip("!--") {
                guard pass("-->") else { return broken() }
            } else if skip("![CDATA[") {
                guard pass("]]>") else { return broken() }
            } else if skip("?") {
                guard pass("?>") else { return broken() }
            } else if skip("!") {
                return broken()
            } else if skip("/") {
                let name = word()
                guard pass(">") else { return broken() }
                if let parent, local(name) == parent { return nil }
            } else {
                let name = word()
                return name.isEmpty ? broken() : local(name)
            }
        }
        at = bytes.endIndex
        return nil
    }

    /// The attributes of the start tag that the scanner is at; a name given twice is an error.
    ///
    /// `isEmpty` becomes whether the element ends with its tag.
    mutating func attributes(isEmpty: inout Bool) -> [String: String]? {
        var found: [String: String] = [:]
        while true {
            skipSpace()
            isEmpty = skip("/>")
            if isEmpty || skip(">") { return found }
            let name = word()
            skipSpace()
            guard !name.isEmpty, found[name] == nil, skip("=") else { return broken() }
            skipSpace()
            guard let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
                return broken()
            }
            at += 1
            guard let end = position(of: quote) else { return broken() }
            let value = bytes[at..<end]
            guard !value.contains(UInt8(ascii: "<")) else { return broken() }
            found[name] = String(decoding: value, as: UTF8.self)
            at = end + 1
        }
    }

    /// The text up to the next tag, without white space around it.
    mutating func text() -> String {
        skipSpace()
        let end = position(of: UInt8(ascii: "<")) ?? bytes.endIndex
        let text = bytes[at..<end]
        at = end
        let last = text.lastIndex { ![9, 10, 13, 32].contains($0) }
        return last.map { String(decoding: text[...$0], as: UTF8.self) } ?? ""
    }

    private mutating func broken<Value>() -> Value? {
        isBroken = true
        at = bytes.endIndex
        return nil
    }

    private func local(_ name: String) -> String {
        name.split(separator: ":").last.map(String.init) ?? name
    }

    private var next: UInt8? { at < bytes.endIndex ? bytes[at] : nil }

    private func position(of byte: UInt8) -> Int? { bytes[at...].firstIndex(of: byte) }

    private mutating func skip(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    /// Goes behind the next occurrence of a text.
    private mutating func pass(_ text: String) -> Bool {
        while at < bytes.endIndex {
            if skip(text) { return true }
            at += 1
        }
        return false
    }

    private mutating func skipSpace() {
        while let byte = next, [9, 10, 13, 32].contains(byte) { at += 1 }
    }

    /// Everything up to white space or one of `=`, `/`, `>`, `<`, quotes.
    private mutating func word() -> String {
        let end = bytes[at...].firstIndex { Self.stops.contains($0) } ?? bytes.endIndex
        defer { at = end }
        return String(decoding: bytes[at..<end], as: UTF8.self)
    }
}
