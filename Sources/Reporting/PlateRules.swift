package import Plate

/// Finds what the faulty wells of a plate have in common, so that one cause is one alarm.
///
/// A lens, a row, a column or the edge is named where at least three of its wells are imaged, at least three quarters of
/// these are faulty, and of the wells elsewhere at most a quarter is. Where three quarters of eight wells or more are
/// faulty, that is said alone.
package struct PlateRules: Sendable, Equatable {
    private static let most = 0.75
    private static let few = 0.25
    private static let smallestGroup = 3
    private static let smallestPlate = 8

    /// Rows of the lenses that move over the plate together; 0 where that is unknown.
    package let lensRows: Int
    /// Columns of the lenses.
    package let lensColumns: Int

    /// Sets how the lenses stand; the ComplexEye has 4 x 4.
    package init(lensRows: Int = 4, lensColumns: Int = 4) {
        precondition(lensRows >= 0 && lensColumns >= 0, "\(lensRows) x \(lensColumns) lenses")
        (self.lensRows, self.lensColumns) = (lensRows, lensColumns)
    }

    /// What holds of these wells; the value says which are faulty.
    package func patterns(_ wells: [Well: Bool]) -> [PlatePattern] {
        if wells.count >= Self.smallestPlate, share(wells.values) >= Self.most { return [.allWells] }
        let edge = Edge(wells.keys)
        var groups: [PlatePattern: [Bool]] = [:]
        for (well, isFaulty) in wells {
            for pattern in patterns(of: well, edge) { groups[pattern, default: []].append(isFaulty) }
        }
        let faulty = wells.values.count { $0 }
        return groups.filter { _, group in
            let outside = wells.count - group.count
            let faultyOutside = faulty - group.count { $0 }
            return group.count >= Self.smallestGroup && outside >= Self.smallestGroup
                && share(group) >= Self.most && Double(faultyOutside) <= Self.few * Double(outside)
        }.keys.sorted()
    }

    /// The wells that a pattern is about.
    package func members(of pattern: PlatePattern, among wells: some Collection<Well>) -> [Well] {
        let edge = Edge(wells)
        return wells.filter { pattern == .allWells || patterns(of: $0, edge).contains(pattern) }.sorted()
    }

    /// The lens over a well, numbered from 1, row by row; `nil` where nobody says how the lenses stand.
    package func lens(of well: Well) -> Int? {
        guard lensRows > 0, lensColumns > 0 else { return nil }
        return well.row % lensRows * lensColumns + (well.column - 1) % lensColumns + 1
    }

    private func share(_ wells: some Collection<Bool>) -> Double {
        Double(wells.count { $0 }) / Double(max(1, wells.count))
    }

    private func patterns(of well: Well, _ edge: Edge) -> [PlatePattern] {
        var patterns: [PlatePattern] = [.row(well.row), .column(well.column)]
        if edge.has(well) { patterns.append(.edge) }
        if let lens = lens(of: well) { patterns.append(.lens(lens)) }
        return patterns
    }

    /// The border of the smallest usual plate that holds the wells.
    private struct Edge {
        let rows: Int
        let columns: Int

        init(_ wells: some Collection<Well>) {
            let (row, column) = (wells.map(\.row).max() ?? 0, wells.map(\.column).max() ?? 1)
            let sizes = [(8, 12), (16, 24), (32, 48)]
            (rows, columns) = sizes.first { row < $0.0 && column <= $0.1 } ?? (32, 48)
        }

        func has(_ well: Well) -> Bool {
            well.row == 0 || well.row == rows - 1 || well.column == 1 || well.column == columns
        }
    }
}
