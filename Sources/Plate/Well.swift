/// One well of a multi-well plate, named by row letter and column number.
package struct Well: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Row, counted from 0 for `A`.
    package let row: Int
    /// Column, counted from 1 as printed on the plate.
    package let column: Int

    /// The largest plate in use has 1536 wells: 32 rows (`A` to `AF`) by 48 columns.
    private static let largestPlate = (rows: 32, columns: 48)

    /// Makes the well at a zero-based row and a one-based column, or `nil` if no plate has it.
    package init?(row: Int, column: Int) {
        guard (0..<Self.largestPlate.rows).contains(row), (1...Self.largestPlate.columns).contains(column)
        else { return nil }
        self.row = row
        self.column = column
    }

    /// Reads `B1`, `b01` or `AA12`; `nil` for anything else.
    package init?(_ name: some StringProtocol) {
        let bytes = Array(name.utf8)
        let letters = bytes.prefix { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
        let digits = bytes.dropFirst(letters.count)
        guard (1...2).contains(letters.count), (1...2).contains(digits.count),
            digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else { return nil }
        let row = letters.reduce(0) { $0 * 26 + Int(($1 | 0x20) - UInt8(ascii: "a")) + 1 } - 1
        self.init(row: row, column: digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
    }

    /// Row letters and two-digit column, for example `B01`: sorts and aligns in file names and logs.
    package var description: String { Self.letters(ofRow: row) + column.digits(2) }

    /// Letters of a zero-based row of a plate, for example `B`.
    package static func letters(ofRow row: Int) -> String {
        let letter = { (index: Int) in String(UnicodeScalar(UInt8(ascii: "A") + UInt8(index))) }
        return row < 26 ? letter(row) : letter(row / 26 - 1) + letter(row % 26)
    }

    /// Orders row by row, then by column, as a plate is read.
    package static func < (left: Well, right: Well) -> Bool {
        (left.row, left.column) < (right.row, right.column)
    }
}

/// Rows and columns of a plate.
package struct PlateSize: Sendable, Equatable {
    /// Rows.
    package let rows: Int
    /// Columns.
    package let columns: Int

    /// The usual plates: 96, 384 and 1536 wells.
    private static let usual = [
        PlateSize(rows: 8, columns: 12), PlateSize(rows: 16, columns: 24), PlateSize(rows: 32, columns: 48),
    ]

    private init(rows: Int, columns: Int) {
        (self.rows, self.columns) = (rows, columns)
    }

    /// The smallest usual plate that has these wells, and at least so many wells.
    package init(holding wells: some Sequence<Well>, atLeast count: Int = 0) {
        let last = (row: wells.map(\.row).max() ?? 0, column: wells.map(\.column).max() ?? 1)
        let fitting = Self.usual.first { size in
            size.rows * size.columns >= count && last.row < size.rows && last.column <= size.columns
        }
        self = fitting ?? Self.usual[2]
    }
}
