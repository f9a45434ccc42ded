package import Plate

extension Frame {
    /// The square of `size` pixels in the middle; what lies beyond the frame is 0.
    package func centreCrop(_ size: Int) -> Frame {
        precondition(size > 0, "a crop of \(size) pixels")
        return window(row: height / 2 - size / 2, column: width / 2 - size / 2, height: size, width: size)
    }

    /// The part that starts at a row and a column, which may lie outside; what lies beyond the frame is 0.
    package func window(row top: Int, column left: Int, height rows: Int, width columns: Int) -> Frame {
        var pixels = [Float](repeating: 0, count: rows * columns)
        let inside = max(left, 0)..<max(min(left + columns, width), max(left, 0))
        for row in max(top, 0)..<max(min(top + rows, height), max(top, 0)) {
            let target = (row - top) * columns - left
            for column in inside { pixels[target + column] = self[row, column] }
        }
        return Frame(height: rows, width: columns, pixels: pixels)
    }
}
