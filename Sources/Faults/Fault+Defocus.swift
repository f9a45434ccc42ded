import CKernels
import Mathematics
package import Plate
import Randomness

extension Fault {
    /// How much more of a frame's contrast is phase than absorption, `Defocus`'s kappa.
    private static let phases: ClosedRange<Float> = -3...3
    /// Change against the background by which a defocused cell is seen.
    private static let seen = aqc_visible_change

    /// The camera's noise stays sharp: a lens out of focus does not blur it.
    func defocused(_ frame: Frame) -> (Frame, Mask) {
        var random = SplitMix64(seed: seed, 0xB1E2)
        let optics = Defocus(shift: defocus, phase: random.draw(Self.phases))
        let background = LocalBackground(frame)
        var (around, cells) = (frame, frame)
        for row in 0..<frame.height {
            for column in 0..<frame.width {
                around[row, column] = background.value(row: row, column: column)
                cells[row, column] -= around[row, column]
            }
        }
        let grain = Grain(of: cells, around: around)
        for index in cells.pixels.indices { cells.pixels[index] -= grain.own.pixels[index] }
        let shown = optics.applied(to: cells)
        var (result, marks) = (frame, [UInt8](repeating: 0, count: frame.pixels.count))
        for index in frame.pixels.indices {
            let (light, cell) = (max(around.pixels[index], 1), shown.pixels[index])
            result.pixels[index] = light + cell + grain.beside(index)
            // Cells that have vanished count as well.
            let change = max(abs(cell), grain.detail.pixels[index])
            marks[index] = change > Self.seen * light ? 1 : 0
        }
        return (result, Mask(height: frame.height, width: frame.width, values: marks))
    }
}

/// The camera's noise in a frame, and where the frame has detail that is more than noise.
private struct Grain {
    /// What a slight blur removes: noise, and on the cells a little of their detail as well.
    private(set) var own: Frame
    /// Mean size of the deviation from the background around a pixel.
    let detail: Frame
    private let isOnCell: [Bool]
    /// Change against the background from which on a pixel counts as a cell's.
    private static let cellular: Float = aqc_visible_change / 2
    /// Pixels from one place where noise is taken for a cell to the next: whole blocks of JPEG.
    private static let step = 16
    private static let steps = 24

    init(of cells: Frame, around: Frame) {
        let fine = GaussianBlur.blurred(cells, sigma: 1.5)
        var sizes = fine
        for index in sizes.pixels.indices { sizes.pixels[index] = abs(sizes.pixels[index]) }
        let detail = GaussianBlur.blurred(sizes, sigma: 3)
        own = cells
        for index in own.pixels.indices {
            own.pixels[index] = min(max(own.pixels[index] - fine.pixels[index], -3), 3)
        }
        self.detail = detail
        isOnCell = detail.pixels.indices.map { detail.pixels[$0] > Self.cellular * around.pixels[$0] }
    }

    /// A pixel's noise; on a cell that of a place beside it in the row, for its own has the cell's outline in it.
    func beside(_ index: Int) -> Float {
        guard isOnCell[index] else { return own.pixels[index] }
        let column = index % own.width
        for step in 1...Self.steps {
            for place in [step * Self.step, -step * Self.step] {
                guard (0..<own.width).contains(column + place), !isOnCell[index + place] else { continue }
                return own.pixels[index + place]
            }
        }
        return own.pixels[index]
    }
}

/// A frame's background: medians of blocks of 64 x 64, read between their centres linearly.
package struct LocalBackground {
    private static let side = 64
    private let rows: Int
    private let columns: Int
    private let medians: [Float]

    /// Measures a frame.
    package init(_ frame: Frame) {
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
    package func value(row: Int, column: Int) -> Float {
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
