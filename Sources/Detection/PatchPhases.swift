/// Which patches of a frame are noised together, so that few passes cover all of them.
///
/// A frame is a grid of square patches. With two phases every second patch is noised at once, as on a checkerboard; with
/// four, every second one of every second row. Each noised patch keeps clean neighbours, which are its condition.
public struct PatchPhases: Sendable, Equatable, Codable {
    /// Pixels per side of a patch.
    public let patch: Int
    /// Passes that cover the frame: 2 or 4.
    public let count: Int

    /// A division; `nil` for other than 2 or 4 phases or an empty patch.
    public init?(patch: Int, count: Int) {
        guard patch > 0, patch <= 4096, count == 2 || count == 4 else { return nil }
        (self.patch, self.count) = (patch, count)
    }

    /// The phase in which the pixel at a row and column, counted from the grid's origin, is noised.
    public func phase(row: Int, column: Int) -> Int {
        let (i, j) = (row / patch, column / patch)
        return count == 2 ? (i + j) % 2 : i % 2 * 2 + j % 2
    }

    /// The pixels noised in a phase, as runs of consecutive indices of a row-major image.
    ///
    /// `origin` says how far the grid starts above and left of the image, for crops that do not start on a patch.
    public func noisedRuns(
        height: Int,
        width: Int,
        phase: Int,
        origin: (row: Int, column: Int) = (0, 0)
    ) -> [Range<Int>] {
        (0..<height).flatMap { row in
            stride(from: -(origin.column % patch), to: width, by: patch).compactMap { column in
                let start = max(column, 0)
                guard self.phase(row: row + origin.row, column: start + origin.column) == phase else {
                    return nil
                }
                return row * width + start..<row * width + min(column + patch, width)
            }
        }
    }
}
