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

/// Which pixels of a frame are faulty, row-major, height x width, 1 for faulty and 0 for normal.
package struct Mask: Sendable, Equatable {
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// `height * width` values, each 0 or 1.
    package var values: [UInt8]

    /// Wraps `height * width` values of 0 or 1; another count is a programmer's mistake.
    package init(height: Int, width: Int, values: [UInt8]) {
        precondition(
            height > 0 && width > 0 && values.count == height * width,
            "a mask of \(height) x \(width) does not have \(values.count) values"
        )
        self.height = height
        self.width = width
        self.values = values
    }

    /// The mask that an image shows: pixels above 0 are faulty.
    package init(_ image: Frame) {
        let values = image.pixels.map { $0 > 0 ? 1 as UInt8 : 0 }
        self.init(height: image.height, width: image.width, values: values)
    }

    /// Share of the frame that is faulty, in [0, 1].
    package var area: Double {
        let faulty = unsafe values.withUnsafeBufferPointer { pixels in
            var count = 0
            // The sum cannot overflow, and without the check for it the loop takes many pixels at once.
            for index in pixels.indices { count &+= unsafe Int(pixels[index]) }
            return count
        }
        return Double(faulty) / Double(values.count)
    }

    /// The smallest rectangle that holds every faulty pixel, or `nil` for an empty mask.
    package var boundingBox: PixelRectangle? {
        unsafe values.withUnsafeBufferPointer { pixels in
            var (left, right, top, bottom) = (width, -1, height, -1)
            for row in 0..<height {
                let line = unsafe UnsafeBufferPointer(rebasing: pixels[row * width..<(row + 1) * width])
                // Takes many pixels at once, and most rows have none that is faulty.
                var any: UInt8 = 0
                for index in line.indices { unsafe any |= line[index] }
                guard any != 0 else { continue }
                (top, bottom) = (min(top, row), row)
                // Only what lies outside the box so far can widen it.
                left = (0..<left).first { unsafe line[$0] != 0 } ?? left
                right = (right + 1..<width).last { unsafe line[$0] != 0 } ?? right
            }
            guard bottom >= 0 else { return nil }
            return PixelRectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
        }
    }
}

/// A rectangle of whole pixels; `x` counts columns from the left and `y` rows from the top.
package struct PixelRectangle: Sendable, Equatable, CustomStringConvertible {
    /// Column of the left edge.
    package let x: Int
    /// Row of the top edge.
    package let y: Int
    /// Columns covered.
    package let width: Int
    /// Rows covered.
    package let height: Int

    /// Names a rectangle by its top left pixel and its size.
    package init(x: Int, y: Int, width: Int, height: Int) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    /// `x,y,width,height`, as alarm lines carry it.
    package var description: String { "\(x),\(y),\(width),\(height)" }
}

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
