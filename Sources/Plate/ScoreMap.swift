/// How unlike a normal frame each pixel is, row-major, height x width, at least 0; higher is more faulty.
package struct ScoreMap: Sendable, Equatable {
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// `height * width` residuals, row by row from the top left.
    package var values: [Float]

    /// Wraps `height * width` residuals; another count is a programmer's mistake.
    package init(height: Int, width: Int, values: [Float]) {
        precondition(
            height > 0 && width > 0 && values.count == height * width,
            "a score map of \(height) x \(width) does not have \(values.count) values"
        )
        self.height = height
        self.width = width
        self.values = values
    }
}
