/// A name from outside as one line of plain text: what could forge a log line or upset a terminal (control
/// and format characters, line separators, bytes that are not UTF-8) becomes `\xNN`, a backslash `\\`.
func printableName(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    var rest = Array(bytes)[...]
    while let first = rest.first {
        let length = min(utf8Length(first), rest.count)
        guard let scalar = String(validating: rest.prefix(length), as: UTF8.self)?.unicodeScalars.first
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
func printableName(_ name: String) -> String { printableName(name.utf8) }

/// Whether a character can stand in a log line: it neither ends the line nor changes how the rest is shown.
func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    // Nearly every name is ASCII, and the category is looked up in a large table.
    if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: false
    default: true
    }
}

private func utf8Length(_ first: UInt8) -> Int {
    switch first {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
}

private func hexEscape(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "\\x0\(digits)" : "\\x\(digits)"
}
