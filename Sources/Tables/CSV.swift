import Foundation

/// Tables as comma-separated values (RFC 4180).
///
/// **Format.** We write UTF-8 and LF. We read what spreadsheets write: UTF-8, UTF-16, and else Windows-1252 (`TextEncoding`); rows
/// that end with LF, CR or CRLF. A field in quotes may hold separators, line breaks
/// and quotes; a quote in it is doubled. The separator is what a first line `sep=;` says, else a comma, a semicolon or a tab,
/// whichever the first row has most of. A byte order mark and empty rows are passed over, and so are blanks around a field in
/// quotes.
///
/// A spreadsheet computes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break: a file's name could be a formula
/// that sends the table away. Such a field is written with an apostrophe in front, which makes it text there (OWASP, CSV injection);
/// a number stays one. Reading takes the apostrophe away again, and nothing else's.
///
/// This reader is our own: SwiftCSV (0.10) does not say in which line a row stands, refuses a whole file for one bad row,
/// drops the blanks that a field begins with, and writes line breaks without quotes.
package enum CSV {
    /// What stands between two fields.
    package enum Separator: UInt8, Sendable, CaseIterable {
        /// `,`
        case comma = 0x2C
        /// `;`, of spreadsheets where the comma is the decimal point.
        case semicolon = 0x3B
        /// The tab character.
        case tab = 0x09
    }

    /// A row of a table, without its line end.
    ///
    /// Fields with separators, quotes or line breaks are put in quotes, and so is what a reader would pass over, and of the fields
    /// in `texts` what a reader could take for a number.
    package static func row(
        _ fields: [String],
        texts: Set<Int> = [],
        separator: Separator = .comma
    ) -> String {
        let between = String(UnicodeScalar(separator.rawValue))
        let fields = fields.map { isFormula($0) ? "'" + $0 : $0 }
        let row = fields.enumerated().map { index, field in
            needsQuotes(field, separator) || texts.contains(index) && isNumber(field) ? quoted(field) : field
        }.joined(separator: between)
        guard let first = fields.first, row.utf8.allSatisfy(isBlank) else { return row }
        return quoted(first) + row.dropFirst(first.count)
    }

    /// A whole table: each row with its line end.
    package static func text(_ rows: [[String]], separator: Separator = .comma) -> String {
        rows.map { row($0, separator: separator) + "\n" }.joined()
    }

    /// Whether a spreadsheet would compute a cell, or our reader would take an apostrophe of its own for ours.
    private static func isFormula(_ field: String) -> Bool {
        field.utf8.first.map { formulaStarts.contains($0) || $0 == apostrophe } == true
            && field.utf8.drop { $0 == apostrophe }.first.map(formulaStarts.contains) == true
            && !isNumber(field)
    }

    /// What a field means: without the apostrophe that keeps a spreadsheet from computing it.
    fileprivate static func meaning(_ field: String) -> String {
        field.utf8.first == apostrophe && isFormula(field) ? String(field.unicodeScalars.dropFirst()) : field
    }

    /// Whether a field is a decimal number, for example `-1.5e-3`.
    private static func isNumber(_ field: String) -> Bool {
        Double(field) != nil
            && field.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
            }
    }

    private static let apostrophe = UInt8(ascii: "'")
    private static let formulaStarts = Array("=+-@\t\r\n".utf8)

    private static func needsQuotes(_ field: String, _ separator: Separator) -> Bool {
        field.utf8.contains { $0 == quote || $0 == separator.rawValue || isLineEnd($0) }
            || field.utf8.starts(with: byteOrderMark)
    }

    private static func quoted(_ field: String) -> String {
        var bytes = [quote]
        for byte in field.utf8 { bytes += byte == quote ? [quote, quote] : [byte] }
        return String(decoding: bytes + [quote], as: UTF8.self)
    }

    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    fileprivate static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    fileprivate static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}

/// A table that was read: the fields of its rows, and where each row stands.
///
/// Bytes of any kind make a table: what is wrong with a row is told with the row.
package struct CSVTable: Sendable {
    /// A row.
    package struct Row: Sendable, Equatable {
        /// Line of the file in which it begins, from 1, as an editor counts.
        package let line: Int
        /// Its fields, quotes taken away.
        package let fields: [String]
        /// What is wrong with its quotes, in words.
        package let fault: String?
    }

    /// The first row; empty in an empty file.
    package let header: [String]
    /// The rows after it.
    package let rows: [Row]
    /// Whether the last row lacks its line end, as in a file that was cut off.
    package let isCutOff: Bool
    /// How its characters were stored.
    package let encoding: TextEncoding
    /// What stands between two fields.
    package let separator: Character

    /// Reads the bytes of a file; without a separator, by the one that it names or that its first row has most of.
    package init(_ bytes: some Sequence<UInt8>, separator: CSV.Separator? = nil) {
        let (text, encoding) = TextEncoding.decoded(Array(bytes))
        var reader = CSVReader(text, separator: separator)
        self.encoding = encoding
        self.separator = Character(UnicodeScalar(reader.separator))
        var rows: [Row] = []
        while let row = reader.next() { rows.append(row) }
        header = rows.first?.fields ?? []
        self.rows = Array(rows.dropFirst())
        isCutOff = reader.isCutOff
    }

    /// The position of a column in each row, whatever the case of its letters and the blanks around it; `nil` if there is none
    /// of that name.
    package func column(_ name: String) -> Int? { header.firstIndex { Self.plain($0) == Self.plain(name) } }

    private static func plain(_ name: String) -> String {
        name.trimmingCharacters(in: .whitespacesAndNewlines.union(.controlCharacters)).lowercased()
    }
}

/// How the characters of a text file are stored.
package enum TextEncoding: String, Sendable {
    /// UTF-8.
    case utf8 = "UTF-8"
    /// UTF-16, the low byte first.
    case utf16LittleEndian = "UTF-16, little-endian"
    /// UTF-16, the high byte first.
    case utf16BigEndian = "UTF-16, big-endian"
    /// One byte a character, as Windows stores Western European text; Latin-1 is part of it.
    case windows1252 = "Windows-1252"

    /// The bytes as UTF-8 without a byte order mark, and how they were stored.
    ///
    /// Text without a mark that is no UTF-8 is taken for Windows-1252, in which every byte is a character.
    static func decoded(_ bytes: [UInt8]) -> (utf8: [UInt8], encoding: TextEncoding) {
        if bytes.starts(with: CSV.byteOrderMark) {
            let text = Array(bytes.dropFirst(CSV.byteOrderMark.count))
            return (text, .utf8)
        }
        if let encoding = utf16(bytes) {
            let isLittle = encoding == .utf16LittleEndian
            let units = stride(from: 0, to: bytes.count - 1, by: 2).map { index in
                UInt16(bytes[index + (isLittle ? 1 : 0)]) << 8 | UInt16(bytes[index + (isLittle ? 0 : 1)])
            }
            let text = String(
                decoding: units.first == 0xFEFF ? units.dropFirst() : units[...],
                as: UTF16.self
            )
            return (Array(text.utf8), encoding)
        }
        if String(validating: bytes, as: UTF8.self) != nil { return (bytes, .utf8) }
        return (bytes.flatMap { $0 < 0x80 ? [$0] : Array(windows1252($0).utf8) }, .windows1252)
    }

    /// Which UTF-16 it is: by the mark, or because one byte of each of the first characters is 0.
    private static func utf16(_ bytes: [UInt8]) -> TextEncoding? {
        if bytes.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
        if bytes.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
        let beginning = bytes.prefix(16)
        guard beginning.count == 16, bytes.count.isMultiple(of: 2) else { return nil }
        let zeros = beginning.indices.filter { beginning[$0] == 0 }
        guard zeros.count == 8 else { return nil }
        if zeros.allSatisfy({ $0 % 2 == 1 }) { return .utf16LittleEndian }
        return zeros.allSatisfy { $0 % 2 == 0 } ? .utf16BigEndian : nil
    }

    private static func windows1252(_ byte: UInt8) -> String {
        let scalar =
            special.indices.contains(Int(byte) - 0x80) ? special[Int(byte) - 0x80] : UnicodeScalar(byte)
        return String(scalar)
    }

    /// Bytes 0x80 to 0x9F; the five without a character stand for themselves.
    private static let special = Array(
        "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ".unicodeScalars
    )
}

/// Goes over the bytes of a table once.
private struct CSVReader {
    private let bytes: [UInt8]
    let separator: UInt8
    private var position = 0
    private var line = 1
    /// Whether the last row that was given ended with the file.
    private(set) var isCutOff = false

    init(_ bytes: [UInt8], separator: CSV.Separator?) {
        self.bytes = bytes
        let named = Self.named(bytes)
        self.separator = separator?.rawValue ?? named?.separator ?? Self.separator(of: bytes).rawValue
        guard let named else { return }
        position = named.length
        if position < bytes.count { passLineEnd() }
    }

    /// The separator that a first line `sep=;` names, as spreadsheets write it, and how long that line is.
    private static func named(_ bytes: [UInt8]) -> (separator: UInt8, length: Int)? {
        let line = bytes.prefix(16).prefix { !CSV.isLineEnd($0) }
        let text = line.filter { $0 != CSV.quote }
        guard text.count == 5, text.prefix(4).map({ $0 | 0x20 }).elementsEqual("sep=".utf8.map { $0 | 0x20 }),
            let separator = text.last, separator < 0x80
        else { return nil }
        return (separator, line.count)
    }

    /// The separator that the first row has most of outside quotes; a comma if it has none.
    private static func separator(of bytes: [UInt8]) -> CSV.Separator {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in bytes.drop(while: { CSV.isLineEnd($0) }) {
            if byte == CSV.quote { isQuoted.toggle() }
            guard !isQuoted else { continue }
            if CSV.isLineEnd(byte) { break }
            counts[byte, default: 0] += 1
        }
        let order: [CSV.Separator] = [.comma, .semicolon, .tab]
        let most = order.map { counts[$0.rawValue] ?? 0 }.max()
        return order.first { (counts[$0.rawValue] ?? 0) == most } ?? .comma
    }

    /// The next row that is not empty.
    mutating func next() -> CSVTable.Row? {
        while position < bytes.count {
            let (first, start) = (line, position)
            var fault: String?
            let (fields, isEnded) = nextRow(&fault)
            // In quotes, blanks are a row.
            if bytes[start..<position].allSatisfy({ CSV.isBlank($0) || CSV.isLineEnd($0) }) { continue }
            isCutOff = !isEnded
            return CSVTable.Row(line: first, fields: fields, fault: fault)
        }
        return nil
    }

    /// The fields up to a line end or the file's end, and which of both it was.
    private mutating func nextRow(_ fault: inout String?) -> (fields: [String], isEnded: Bool) {
        var fields: [String] = []
        while true {
            fields.append(nextField(&fault))
            guard position < bytes.count else { return (fields, false) }
            guard bytes[position] == separator else {
                passLineEnd()
                return (fields, true)
            }
            position += 1
        }
    }

    /// A field up to its separator or its row's end, which the position is at then.
    private mutating func nextField(_ fault: inout String?) -> String {
        let start = position
        while position < bytes.count, CSV.isBlank(bytes[position]), bytes[position] != separator {
            position += 1
        }
        guard position < bytes.count, bytes[position] == CSV.quote else {
            passText()
            return CSV.meaning(String(decoding: bytes[start..<position], as: UTF8.self))
        }
        let (content, isClosed) = nextQuoted()
        let rest = position
        passText()
        if !isClosed {
            fault = fault ?? "a quote is opened and never closed"
        } else if !bytes[rest..<position].allSatisfy(CSV.isBlank) {
            fault = fault ?? "text follows a closing quote; a quote within a field is written twice"
        }
        return CSV.meaning(String(decoding: content, as: UTF8.self))
    }

    private mutating func passText() {
        while position < bytes.count, bytes[position] != separator, !CSV.isLineEnd(bytes[position]) {
            position += 1
        }
    }

    /// What is in quotes; the position is past the closing one then.
    private mutating func nextQuoted() -> (content: [UInt8], isClosed: Bool) {
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let start = position
            if CSV.isLineEnd(bytes[position]) {
                passLineEnd()
                content += bytes[start..<position]
                continue
            }
            position += 1
            if bytes[start] == CSV.quote {
                guard position < bytes.count, bytes[position] == CSV.quote else { return (content, true) }
                position += 1
            }
            content.append(bytes[start])
        }
        return (content, false)
    }

    private mutating func passLineEnd() {
        let isReturn = bytes[position] == 0x0D
        position += 1
        if isReturn, position < bytes.count, bytes[position] == 0x0A { position += 1 }
        line += 1
    }
}

extension BinaryFloatingPoint {
    /// This number with so many digits after the point, whatever the user's language.
    package func digits(_ count: Int) -> String {
        Double(self).formatted(
            .number.precision(.fractionLength(count)).grouping(.never).locale(Locale(identifier: "C"))
        )
    }
}
