import Foundation

/// Tables as comma-separated values (RFC 4180).
///
/// **Format.** UTF-8. A row ends with LF, CR or CRLF; ours end with LF. A field in quotes may hold separators, line breaks
/// and quotes; a quote in it is doubled. The separator is a comma, or the semicolon or the tab, whichever the first row has
/// most of. A byte order mark and empty rows are passed over, and so are blanks around a field in quotes.
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
    /// Fields with separators, quotes or line breaks are put in quotes, and so is what a reader would pass over.
    package static func row(_ fields: [String], separator: Separator = .comma) -> String {
        let between = String(UnicodeScalar(separator.rawValue))
        let row = fields.map { needsQuotes($0, separator) ? quoted($0) : $0 }.joined(separator: between)
        guard let first = fields.first, row.utf8.allSatisfy(isBlank) else { return row }
        return quoted(first) + row.dropFirst(first.count)
    }

    /// A whole table: each row with its line end.
    package static func text(_ rows: [[String]], separator: Separator = .comma) -> String {
        rows.map { row($0, separator: separator) + "\n" }.joined()
    }

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

    /// Reads the bytes of a file; without a separator, by the one that its first row has most of.
    package init(_ bytes: some Sequence<UInt8>, separator: CSV.Separator? = nil) {
        var reader = CSVReader(Array(bytes), separator: separator)
        var rows: [Row] = []
        while let row = reader.next() { rows.append(row) }
        header = rows.first?.fields ?? []
        self.rows = Array(rows.dropFirst())
        isCutOff = reader.isCutOff
    }

    /// The position of a column in each row; `nil` if there is none of that name.
    package func column(_ name: String) -> Int? { header.firstIndex(of: name) }
}

/// Goes over the bytes of a table once.
private struct CSVReader {
    private let bytes: [UInt8]
    private let separator: UInt8
    private var position: Int
    private var line = 1
    /// Whether the last row that was given ended with the file.
    private(set) var isCutOff = false

    init(_ bytes: [UInt8], separator: CSV.Separator?) {
        self.bytes = bytes
        position = bytes.starts(with: CSV.byteOrderMark) ? CSV.byteOrderMark.count : 0
        self.separator = (separator ?? Self.separator(of: bytes)).rawValue
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
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        let (content, isClosed) = nextQuoted()
        let rest = position
        passText()
        if !isClosed {
            fault = fault ?? "a quote is opened and never closed"
        } else if !bytes[rest..<position].allSatisfy(CSV.isBlank) {
            fault = fault ?? "text follows a closing quote; a quote within a field is written twice"
        }
        return String(decoding: content, as: UTF8.self)
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
