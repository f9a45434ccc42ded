import Plate
import Reporting

/// Rows and columns of a plate.
struct PlateSize: Sendable, Equatable {
    let rows: Int
    let columns: Int

    private static let sizes = [
        PlateSize(rows: 8, columns: 12), PlateSize(rows: 16, columns: 24), PlateSize(rows: 32, columns: 48),
    ]

    private init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    /// The plate as configured, or the next larger one that holds the wells seen.
    init(_ format: WebSettings.PlateFormat, holding wells: some Sequence<Well>) {
        let configured =
            switch format {
            case .auto, .wells96: 0
            case .wells384: 1
            case .wells1536: 2
            }
        let last = (row: wells.map(\.row).max() ?? 0, column: wells.map(\.column).max() ?? 1)
        self =
            Self.sizes[configured...].first { last.row < $0.rows && last.column <= $0.columns }
            ?? Self.sizes[2]
    }
}
