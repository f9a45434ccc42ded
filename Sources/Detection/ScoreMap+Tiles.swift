import CKernels
import Plate

extension ScoreMap {
    /// The map times the weights of its tiles, which are read linearly between the tiles' centres.
    func weighed(by weights: [Float]) -> ScoreMap {
        let (rows, columns) = (height / TileTable.side, width / TileTable.side)
        precondition(
            weights.count == rows * columns && rows * columns > 0,
            "\(weights.count) weights of tiles"
        )
        var line = [Float](repeating: 0, count: columns)
        let values = unsafe [Float](filling: values.count) { result in
            unsafe aqc_weigh_tiles(self.values, result, height, width, weights, rows, columns, &line)
        }
        return ScoreMap(height: height, width: width, values: values)
    }
}

extension Mask {
    /// The pixels of some tiles; what is left at the right and at the bottom belongs to the last ones.
    init(height: Int, width: Int, tiles: [Bool]) {
        let (rows, columns) = (height / TileTable.side, width / TileTable.side)
        precondition(tiles.count == rows * columns && rows * columns > 0, "\(tiles.count) tiles")
        var values: [UInt8] = []
        values.reserveCapacity(height * width)
        for row in 0..<rows {
            let line = (0..<width).map { column -> UInt8 in
                tiles[row * columns + min(column / TileTable.side, columns - 1)] ? 1 : 0
            }
            let count = row == rows - 1 ? height - row * TileTable.side : TileTable.side
            for _ in 0..<count { values += line }
        }
        self.init(height: height, width: width, values: values)
    }
}
