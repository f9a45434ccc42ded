/// Which pixels of a frame are faulty, row-major, height x width, 1 for faulty and 0 for normal.
public struct Mask: Sendable, Equatable {
    /// Rows.
    public let height: Int
    /// Columns.
    public let width: Int
    /// `height * width` values, each 0 or 1.
    public var values: [UInt8]

    /// Wraps `height * width` values of 0 or 1; another count is a programmer's mistake.
    public init(height: Int, width: Int, values: [UInt8]) {
        precondition(
            height > 0 && width > 0 && values.count == height * width,
            "a mask of \(height) x \(width) does not have \(values.count) values"
        )
        self.height = height
        self.width = width
        self.values = values
    }

    /// Share of the frame that is faulty, in [0, 1].
    public var area: Double {
        Double(values.reduce(0) { $0 + Int($1) }) / Double(values.count)
    }

    /// The smallest rectangle that holds every faulty pixel, or `nil` for an empty mask.
    public var boundingBox: PixelRectangle? {
        var rows: ClosedRange<Int>?
        var columns: ClosedRange<Int>?
        for row in 0..<height {
            let line = values[row * width..<(row + 1) * width]
            guard let first = line.firstIndex(of: 1), let last = line.lastIndex(of: 1) else { continue }
            rows = (rows?.lowerBound ?? row)...row
            let span = first - line.startIndex...last - line.startIndex
            columns =
                min(
                    columns?.lowerBound ?? span.lowerBound,
                    span.lowerBound
                )...max(
                    columns?.upperBound ?? span.upperBound,
                    span.upperBound
                )
        }
        guard let rows, let columns else { return nil }
        return PixelRectangle(
            x: columns.lowerBound,
            y: rows.lowerBound,
            width: columns.count,
            height: rows.count
        )
    }
}

/// A rectangle of whole pixels; `x` counts columns from the left and `y` rows from the top.
public struct PixelRectangle: Sendable, Equatable, CustomStringConvertible {
    /// Column of the left edge.
    public let x: Int
    /// Row of the top edge.
    public let y: Int
    /// Columns covered.
    public let width: Int
    /// Rows covered.
    public let height: Int

    /// Names a rectangle by its top left pixel and its size.
    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// `x,y,width,height`, as alarm lines carry it.
    public var description: String { "\(x),\(y),\(width),\(height)" }
}
