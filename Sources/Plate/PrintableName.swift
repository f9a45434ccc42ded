/// A name from outside as one line of plain text: what could forge a log line or upset a terminal (control
/// and format characters, line separators, bytes that are not UTF-8) becomes `\xNN`, a backslash `\\`.
package func printableName(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    var rest = Array(bytes)[...]
    while let first = rest.first {
        // The shortest beginning that is valid UTF-8 is one character.
        let lengths = 1...min(4, rest.count)
        guard
            let length = lengths.first(where: { String(validating: rest.prefix($0), as: UTF8.self) != nil }),
            let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first
        else {
            text += hexEscape(first)
            rest = rest.dropFirst()
            continue
        }
        if isPrintable(scalar) {
            text += scalar == "\\" ? "\\\\" : String(scalar)
        } else {
            text += rest.prefix(length).map(hexEscape).joined()
        }
        rest = rest.dropFirst(length)
    }
    return text
}

/// A name that is valid UTF-8 as one line of plain text.
package func printableName(_ name: String) -> String { printableName(name.utf8) }

/// Whether a character can stand in a log line: it neither ends the line nor changes how the rest is shown.
package func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    // Nearly every name is ASCII, and the category is looked up in a large table.
    if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: false
    default: true
    }
}

private func hexEscape(_ byte: UInt8) -> String {
    "\\x" + byte.digits(2, radix: 16)
}
