import Faults
import Randomness

/// All cells of a well's field and a margin around it, at one frame of the series.
struct CellPopulation: Sendable {
    /// Width of the strip around the field where cells live unseen, in pixels.
    private static let margin: Float = 40

    private(set) var cells: [Cell] = []
    private let height: Float
    private let width: Float

    /// Draws the cells of the first frame.
    init(_ specimen: Specimen, height: Int, width: Int, pixelSize: Float, interval: Float, seed: UInt64) {
        (self.height, self.width) = (Float(height), Float(width))
        var random = SplitMix64(seed: seed, 0xF1E1D)
        let (rows, columns) = (self.height + 2 * Self.margin, self.width + 2 * Self.margin)
        let count = Int((specimen.density * rows * columns / (1280 * 800)).rounded())
        for index in 0..<count {
            var best: Cell?
            // Seldom on top of each other, as settled cells.
            for _ in 0..<12 {
                let place = place(specimen, rows: rows, columns: columns, using: &random)
                let cell = Cell(
                    specimen,
                    pixelSize: pixelSize,
                    interval: interval,
                    row: place.row,
                    column: place.column,
                    seed: random.next() &+ UInt64(index)
                )
                best = cell
                if !overlaps(cell) { break }
            }
            if let best { cells.append(best) }
        }
    }

    private func place(
        _ specimen: Specimen,
        rows: Float,
        columns: Float,
        using random: inout SplitMix64
    ) -> (row: Float, column: Float) {
        if !cells.isEmpty, random.chance(specimen.clumping) {
            let neighbour = cells[random.drawCount(0...cells.count - 1)]
            let direction = random.drawDirection()
            let distance = neighbour.radius * random.draw(1.9...2.3)
            return (neighbour.row + distance * direction.sine, neighbour.column + distance * direction.cosine)
        }
        return (random.draw(0...rows) - Self.margin, random.draw(0...columns) - Self.margin)
    }

    private func overlaps(_ cell: Cell) -> Bool {
        cells.contains { other in
            let (down, right) = (cell.row - other.row, cell.column - other.column)
            let reach = 0.9 * (cell.radius + other.radius)
            return down * down + right * right < reach * reach
        }
    }

    /// Moves all on by one frame; who leaves on one side comes in on the other, and touching cells part.
    mutating func step() {
        for index in cells.indices {
            cells[index].step()
            cells[index].row = wrapped(cells[index].row, length: height)
            cells[index].column = wrapped(cells[index].column, length: width)
        }
        for first in cells.indices {
            let (row, column, radius) = (cells[first].row, cells[first].column, cells[first].radius)
            for second in 0..<first where abs(cells[second].row - row) < 30 {
                let (down, right) = (row - cells[second].row, column - cells[second].column)
                let reach = 0.85 * (radius + cells[second].radius)
                let square = down * down + right * right
                guard square < reach * reach, square > 0.01 else { continue }
                let distance = square.squareRoot()
                let push = 0.25 * (reach - distance) / distance
                cells[first].row += push * down
                cells[first].column += push * right
                cells[second].row -= push * down
                cells[second].column -= push * right
            }
        }
    }

    private func wrapped(_ value: Float, length: Float) -> Float {
        if value < -Self.margin { return value + length + 2 * Self.margin }
        if value > length + Self.margin { return value - length - 2 * Self.margin }
        return value
    }
}
