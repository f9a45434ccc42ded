import Plate

/// `key=value key="quoted value"`: one event a line, such that no value can end its field or its line.
///
/// A value of letters, digits and `-_.,:/+@%*~` stands as it is; every other one is quoted, with `\"`, `\\`, `\n`,
/// `\r`, `\t` and, for what else a terminal or a reader of lines could take for something it is not (controls,
/// line and paragraph separators, formatting characters), `\u{HEX}`.
package enum Logfmt {
    /// Longest value written, in characters; what is longer ends in `...`.
    package static let longestValue = 512

    /// Writes fields in the order given; keys are the programmer's and must be plain words.
    package static func line(_ fields: [(key: String, value: String)]) -> String {
        fields.map { "\($0.key)=\(value($0.value))" }.joined(separator: " ")
    }

    /// Reads a line back; `nil` for one that is not of this form or names a key twice.
    package static func fields(of line: some StringProtocol) -> [String: String]? {
        var reader = LogfmtReader(rest: Substring(line).unicodeScalars)
        return reader.fields()
    }

    /// The value as it stands in a line.
    static func value(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.utf8.count <= longestValue
            && text.utf8.allSatisfy { $0.isLetterOrDigit || "-_.,:/+@%*~".utf8.contains($0) }
        return isPlain ? text : quoted(text)
    }

    /// The value without quotes, what could forge a line escaped.
    static func unquoted(_ text: String) -> String { text.unicodeScalars.map(escaped).joined() }

    /// The value in quotes, whatever it is.
    static func quoted(_ text: String) -> String {
        let isLong = text.unicodeScalars.count > longestValue
        let kept = isLong ? String(text.unicodeScalars.prefix(longestValue)) + "..." : text
        return "\"" + kept.unicodeScalars.map(escaped).joined() + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            return "\\u{\(String(scalar.value, radix: 16))}"
        default: return String(scalar)
        }
    }
}

private struct LogfmtReader {
    var rest: Substring.UnicodeScalarView

    mutating func fields() -> [String: String]? {
        var fields: [String: String] = [:]
        while !rest.isEmpty {
            guard let key = key(), let value = rest.first == "\"" ? quotedValue() : plainValue(),
                fields.updateValue(value, forKey: key) == nil
            else { return nil }
            guard !rest.isEmpty else { break }
            guard rest.popFirst() == " ", !rest.isEmpty else { return nil }
        }
        return fields
    }

    private mutating func key() -> String? {
        guard let end = rest.firstIndex(of: "="), end > rest.startIndex else { return nil }
        let key = rest[..<end]
        rest = rest[rest.index(after: end)...]
        let isWord = key.allSatisfy { $0.properties.isAlphabetic && $0.isASCII || $0 == "_" }
        return isWord ? String(key) : nil
    }

    private mutating func plainValue() -> String? {
        let end = rest.firstIndex(of: " ") ?? rest.endIndex
        let value = rest[..<end]
        rest = rest[end...]
        return value.isEmpty || value.contains("\"") ? nil : String(value)
    }

    private mutating func quotedValue() -> String? {
        rest.removeFirst()
        var value = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(value)
            case "\\":
                guard let meant = escapeMeaning() else { return nil }
                value.append(meant)
            default: value.append(scalar)
            }
        }
        return nil
    }

    private mutating func escapeMeaning() -> Unicode.Scalar? {
        switch rest.popFirst() {
        case "\"": return "\""
        case "\\": return "\\"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            guard rest.popFirst() == "{", let end = rest.firstIndex(of: "}") else { return nil }
            let digits = rest[..<end]
            rest = rest[rest.index(after: end)...]
            return UInt32(String(digits), radix: 16).flatMap(Unicode.Scalar.init)
        default: return nil
        }
    }
}
