/// The contrast of a frame to its background, block by block, at a quarter of its resolution.
package struct FrameDetail: Sendable, Equatable {
    /// Side of a block in pixels.
    package static let block = 4

    /// Rows of blocks.
    package let rows: Int
    /// Columns of blocks.
    package let columns: Int
    /// The contrast of each block, row by row, in steps of half a hundredth of the normal background.
    package let values: [UInt8]
    /// The frame's tiles; `nil` where only the pixels were looked at.
    package var tiles: Tiles?

    /// The likeness of each tile of a frame to a known fault.
    package struct Tiles: Sendable, Equatable {
        /// Side of a tile in pixels.
        package let side: Int
        /// Tiles side by side.
        package let columns: Int
        /// Logarithm of the odds that a tile is part of a fault, row by row.
        package let faultLogits: [Float]

        /// Gathers the tiles.
        package init(side: Int, columns: Int, faultLogits: [Float]) {
            precondition(columns > 0 && !faultLogits.isEmpty && faultLogits.count.isMultiple(of: columns))
            (self.side, self.columns, self.faultLogits) = (side, columns, faultLogits)
        }

        /// The largest of the four tiles whose centres are nearest to a pixel.
        package func faultLogit(nearX x: Int, y: Int) -> Float {
            let rows = faultLogits.count / columns
            func two(_ pixel: Int, _ count: Int) -> [Int] {
                let first = pixel < side / 2 ? -1 : (pixel - side / 2) / side
                return [first, first + 1].map { min(max($0, 0), count - 1) }
            }
            let near = two(y, rows).flatMap { row in two(x, columns).map { faultLogits[row * columns + $0] } }
            return near.reduce(-.infinity, max)
        }
    }

    /// Gathers the figures.
    package init(rows: Int, columns: Int, values: [UInt8], tiles: Tiles? = nil) {
        precondition(values.count == rows * columns, "\(values.count) values of \(rows) x \(columns) blocks")
        (self.rows, self.columns, self.values, self.tiles) = (rows, columns, values, tiles)
    }
}
