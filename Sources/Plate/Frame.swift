/// One grey image, row-major, height x width, in the grey units that the file stores (0 to 255 for 8 bit).
package struct Frame: Sendable, Equatable {
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// `height * width` grey values, row by row from the top left.
    package var pixels: [Float]

    /// Wraps `height * width` grey values; another count is a programmer's mistake.
    package init(height: Int, width: Int, pixels: [Float]) {
        precondition(
            height > 0 && width > 0 && pixels.count == height * width,
            "a frame of \(height) x \(width) does not have \(pixels.count) pixels"
        )
        self.height = height
        self.width = width
        self.pixels = pixels
    }

    /// The grey value at a row and a column.
    package subscript(row: Int, column: Int) -> Float {
        get { pixels[row * width + column] }
        set { pixels[row * width + column] = newValue }
    }
}
