/// A smooth quantity over the frame, kept on a coarse grid and read between its points linearly.
struct Field: Sendable {
    /// Pixels from one point of the grid to the next.
    static let pitch = 16

    private let columns: Int
    private let values: [Float]

    /// Evaluates a function of row and column, in pixels, on the grid.
    init(height: Int, width: Int, _ value: (_ row: Float, _ column: Float) -> Float) {
        let rows = height / Self.pitch + 2
        let columns = width / Self.pitch + 2
        self.columns = columns
        values = (0..<rows * columns).map { index in
            value(Float(index / columns * Self.pitch), Float(index % columns * Self.pitch))
        }
    }

    /// Multiplies one row of pixels by the field.
    func multiply(row: Int, _ line: UnsafeMutableBufferPointer<Float>) {
        let share = Float(row % Self.pitch) / Float(Self.pitch)
        let start = row / Self.pitch * columns
        let node = { (column: Int) in
            values[start + column] * (1 - share) + values[start + columns + column] * share
        }
        var left = node(0)
        for cell in 0...(line.count - 1) / Self.pitch {
            let right = node(cell + 1)
            let slope = (right - left) / Float(Self.pitch)
            let first = cell * Self.pitch
            for offset in 0..<min(Self.pitch, line.count - first) {
                unsafe line[first + offset] *= left + slope * Float(offset)
            }
            left = right
        }
    }
}
