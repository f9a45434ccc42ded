import Mathematics
import Plate

/// A frame's background: medians of blocks of 64 x 64, read between their centres linearly.
struct LocalBackground {
    private static let side = 64
    private let rows: Int
    private let columns: Int
    private let medians: [Float]

    init(_ frame: Frame) {
        let (rows, columns) = (max(frame.height / Self.side, 1), max(frame.width / Self.side, 1))
        (self.rows, self.columns) = (rows, columns)
        medians = (0..<rows * columns).map { block in
            let (top, left) = (block / columns * Self.side, block % columns * Self.side)
            var values: [Float] = []
            for row in top..<min(top + Self.side, frame.height) {
                for column in left..<min(left + Self.side, frame.width) { values.append(frame[row, column]) }
            }
            return values.upperMedian
        }
    }

    /// The background at a pixel.
    func value(row: Int, column: Int) -> Float {
        let (top, down) = Self.place(row, rows)
        let (left, right) = Self.place(column, columns)
        let at = { (r: Int, c: Int) in medians[min(r, rows - 1) * columns + min(c, columns - 1)] }
        return (at(top, left) * (1 - right) + at(top, left + 1) * right) * (1 - down)
            + (at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right) * down
    }

    private static func place(_ pixel: Int, _ count: Int) -> (index: Int, share: Float) {
        let position = min(max((Float(pixel) + 0.5) / Float(side) - 0.5, 0), Float(count - 1))
        let index = Int(position)
        return (index, position - Float(index))
    }
}
