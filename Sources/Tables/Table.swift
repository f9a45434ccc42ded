import Foundation

/// How a table is written.
package enum TableForm: Sendable {
    /// A header, and a line for each row.
    case csv
    /// A JSON object on a line for each row.
    case jsonLines

    /// How names of files in this form end.
    package var ending: String { self == .csv ? "csv" : "jsonl" }
}

/// A table of rows of one type, which is written as CSV (`CSV`) or as JSON lines: one set of columns and digits for both.
///
/// What a row does not have is empty in CSV and missing in JSON, and so is a figure that is not finite in JSON.
package struct Table<Row>: Sendable {
    /// What stands in a column.
    package enum Value: Sendable {
        /// Text; in quotes where a reader could take it for a number, as a run called `01`.
        case text(String)
        /// A number, with all its digits.
        case number(Double)
        /// A whole number.
        case integer(Int)
        /// `true` or `false`.
        case flag(Bool)
        /// Figures with names: `name=value;name=value` in CSV, an object in JSON.
        case figures([(name: String, value: Double)])
    }

    /// A column: its name, and what a row has there.
    package typealias Column = (name: String, value: @Sendable (Row) -> Value?)

    private let columns: [Column]

    /// A table of these columns.
    package init(_ columns: [Column]) { self.columns = columns }

    /// The table with more columns at its end.
    package func adding(_ more: [Column]) -> Table { Table(columns + more) }

    /// The table without some columns.
    package func without(_ names: Set<String>) -> Table { Table(columns.filter { !names.contains($0.name) }) }

    /// The first line of the table, without its newline; JSON lines have none.
    package func header(_ form: TableForm) -> String? { form == .csv ? header : nil }

    /// A row as one line, without its newline.
    package func line(_ row: Row, _ form: TableForm) throws -> String {
        try form == .csv ? csv(row) : json(row)
    }

    /// The first line of the table as CSV, without its newline.
    package var header: String { CSV.row(columns.map(\.name)) }

    /// A row as CSV, without its newline.
    package func csv(_ row: Row) -> String {
        var texts: Set<Int> = []
        let fields = columns.enumerated().map { index, column in
            switch column.value(row) {
            case .text(let text):
                texts.insert(index)
                return text
            case .number(let number): return "\(number)"
            case .integer(let number): return "\(number)"
            case .flag(let flag): return "\(flag)"
            case .figures(let figures):
                return figures.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
            case nil: return ""
            }
        }
        return CSV.row(fields, texts: texts)
    }

    /// A row as one JSON object on one line, without a newline.
    package func json(_ row: Row) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let object = Object(
            members: columns.compactMap { column in column.value(row).map { (column.name, $0) } }
        )
        return String(decoding: try encoder.encode(object), as: UTF8.self)
    }

    private struct Object: Encodable {
        let members: [(name: String, value: Value)]

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }

            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.init(stringValue) }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: Key.self)
            for (name, value) in members {
                switch value {
                case .text(let text): try object.encode(text, forKey: Key(name))
                case .number(let number):
                    if number.isFinite { try object.encode(number, forKey: Key(name)) }
                case .integer(let number): try object.encode(number, forKey: Key(name))
                case .flag(let flag): try object.encode(flag, forKey: Key(name))
                case .figures(let figures):
                    let values = Dictionary(figures.map { ($0.name, $0.value) }) { first, _ in first }
                    try object.encode(values.filter(\.value.isFinite), forKey: Key(name))
                }
            }
        }
    }
}
