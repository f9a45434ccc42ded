/// Which patches of a frame are noised together, so that few passes cover all of them.
///
/// A frame is a grid of square patches. With two phases every second patch is noised at once, as on a checkerboard; with
/// four, every second one of every second row. Each noised patch keeps clean neighbours, which are its condition.
package struct PatchPhases: Sendable, Equatable, Codable {
    /// Pixels per side of a patch.
    package let patch: Int
    /// Passes that cover the frame: 2 or 4.
    package let count: Int

    /// A division; `nil` for other than 2 or 4 phases or an empty patch.
    package init?(patch: Int, count: Int) {
        guard patch > 0, patch <= 4096, count == 2 || count == 4 else { return nil }
        (self.patch, self.count) = (patch, count)
    }

    /// The phase in which the pixel at a row and column, counted from the grid's origin, is noised.
    package func phase(row: Int, column: Int) -> Int {
        let (i, j) = (row / patch, column / patch)
        return count == 2 ? (i + j) % 2 : i % 2 * 2 + j % 2
    }

    /// The pixels noised in a phase, as runs of consecutive indices of a row-major image.
    ///
    /// `origin` says how far the grid starts above and left of the image, for crops that do not start on a patch.
    package func noisedRuns(
        height: Int,
        width: Int,
        phase: Int,
        origin: (row: Int, column: Int) = (0, 0)
    ) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        runs.reserveCapacity(height * (width / patch + 2) / 2)
        var row = 0
        while row < height {
            // All rows of a patch have the same columns.
            let below = min(row + patch - (row + origin.row) % patch, height)
            let columns = noisedColumns(
                width: width,
                row: row + origin.row,
                phase: phase,
                origin: origin.column
            )
            for line in row..<below {
                for run in columns {
                    runs.append(line * width + run.lowerBound..<line * width + run.upperBound)
                }
            }
            row = below
        }
        return runs
    }

    private func noisedColumns(width: Int, row: Int, phase: Int, origin: Int) -> [Range<Int>] {
        stride(from: -(origin % patch), to: width, by: patch).compactMap { column in
            let start = max(column, 0)
            guard self.phase(row: row, column: start + origin) == phase else { return nil }
            return start..<min(column + patch, width)
        }
    }
}
