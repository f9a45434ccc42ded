import Foundation

extension NormalModel {
    /// The most suspicious tiles, this share of a frame, are what a fault looks like where it is.
    private static let looked = 0.03
    /// Variance within cells of 4 pixels, as a logarithm, of tiles without any.
    private static let bare: Float = -13.7

    /// What there is to tell the cause of a fault from.
    ///
    /// Mean figures of the most suspicious tiles and of all tiles, against normal ones; how many tiles are suspicious, how far
    /// they spread over the frame, and how they lie in rows.
    func evidence(of table: TileTable, _ deviation: Deviation) -> CauseModel.Evidence {
        let suspicions = deviation.suspicions
        let order = suspicions.indices.sorted { (suspicions[$1], $0) < (suspicions[$0], $1) }
        let foremost = order.prefix(max(1, Int(Self.looked * Double(order.count))))
        var values: [Double] = []
        for channel in 0..<TileTable.channels {
            let start = channel * table.count
            let there = foremost.reduce(0) { $0 + table.values[start + $1] } / Float(foremost.count)
            let all = (0..<table.count).reduce(0) { $0 + table.values[start + $1] } / Float(table.count)
            values += [Double(there - centre[channel]), Double(all - centre[channel])]
        }
        values += geometry(of: table, suspicions)
        let details = table.values(of: .detail4)
        let bare = details.count { $0 < Self.bare }
        return CauseModel.Evidence(values: values, isBlank: Double(bare) > 0.95 * Double(table.count))
    }

    private func geometry(of table: TileTable, _ suspicions: [Float]) -> [Double] {
        let striking = suspicions.indices.filter { suspicions[$0] > self.striking }
        guard !striking.isEmpty else { return [log(1 / Double(table.count)), 0, 0, 0] }
        let rows = striking.map { $0 / table.columns }
        let columns = striking.map { $0 % table.columns }
        func spread(_ places: [Int], of count: Int) -> Double {
            let mean = Double(places.reduce(0, +)) / Double(places.count)
            let squares = places.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            return (squares / Double(places.count)).squareRoot() / Double(count)
        }
        let fullest = Dictionary(grouping: rows) { $0 }.values.map(\.count).max() ?? 0
        return [
            log(Double(striking.count) / Double(table.count)), 3 * spread(rows, of: table.rows),
            3 * spread(columns, of: table.columns), Double(fullest) / Double(table.columns),
        ]
    }
}
