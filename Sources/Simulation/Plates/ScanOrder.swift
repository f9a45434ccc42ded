import Plate

/// The order in which 16 lenses, 4 rows by 4 columns, scan a 384-well plate.
enum ScanOrder {
    /// Wells of the plate: 16 rows by 24 columns.
    static let plateSize = 384

    /// The first wells: position after position of the lenses, row by row within each.
    static func wells(_ count: Int) -> [Well] {
        precondition(count <= plateSize, "a plate of \(plateSize) wells has no \(count)")
        return (0..<count).compactMap { number in
            let (position, lens) = (number / 16, number % 16)
            return Well(row: position / 6 * 4 + lens / 4, column: position % 6 * 4 + lens % 4 + 1)
        }
    }
}

extension Well {
    /// The name as published file names have it: `B1`, where `description` is `B01`.
    var fileName: String { "\(description.prefix { $0.isLetter })\(column)" }
}
