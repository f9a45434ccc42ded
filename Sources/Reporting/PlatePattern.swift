import Plate

/// What several faulty wells of a plate have in common.
package enum PlatePattern: Hashable, Sendable, Comparable {
    /// Most wells that are imaged are faulty.
    case allWells
    /// Wells under one lens, numbered from 1, row by row of the lenses.
    case lens(Int)
    /// A row of the plate, counted from 0 for `A`.
    case row(Int)
    /// A column of the plate, counted from 1.
    case column(Int)
    /// The outermost wells.
    case edge

    /// Its name in records: `all-wells`, `lens-6`, `row-B`, `column-07`, `edge`.
    package var name: String {
        switch self {
        case .allWells: "all-wells"
        case .lens(let number): "lens-\(number)"
        case .row(let row): "row-\(Well(row: row, column: 1)?.description.prefix { $0.isLetter } ?? "")"
        case .column(let column): "column-\(column < 10 ? "0" : "")\(column)"
        case .edge: "edge"
        }
    }

    /// What to look at first.
    package var advice: String {
        switch self {
        case .allWells: "look at the lamp, the stage and the incubator"
        case .lens(let number): "clean and refocus lens \(number)"
        case .row, .column: "look at how the plate sits, and at how this line was dispensed"
        case .edge: "look at the lid and the humidity: edge wells dry first"
        }
    }

    /// Reads a name.
    package init?(name: String) {
        let parts = name.split(separator: "-", maxSplits: 1).map(String.init)
        switch (parts.first, parts.last) {
        case ("all", "wells"): self = .allWells
        case ("edge", _): self = .edge
        case ("lens", let number?):
            guard let value = Int(number) else { return nil }
            self = .lens(value)
        case ("row", let letters?):
            guard let well = Well(letters + "1") else { return nil }
            self = .row(well.row)
        case ("column", let number?):
            guard let value = Int(number) else { return nil }
            self = .column(value)
        default: return nil
        }
    }
}
