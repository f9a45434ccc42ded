import CKernels
package import Plate

/// The connected components of a mask, found from its runs: stretches of faulty pixels within a row.
///
/// Runs are joined with those of the row above them by union-find (Rosenfeld and Pfaltz 1966).
package struct RunLabelling: Sendable {
    /// Which pixels touch one another.
    package enum Connectivity: Sendable, CaseIterable {
        /// Pixels that share an edge: four neighbours.
        case four
        /// Pixels that share an edge or a corner: eight neighbours.
        case eight
    }

    /// A stretch of faulty pixels.
    package struct Run: Sendable {
        /// The row.
        package let row: Int
        /// The columns.
        package let columns: Range<Int>
    }

    /// All runs, row by row.
    package private(set) var runs: [Run] = []
    /// For each run the first run of its component.
    package private(set) var roots: [Int] = []
    /// How far apart two runs of neighbouring rows may end and begin and still touch, in columns.
    private let reach: Int

    /// Finds the components of a mask.
    package init(_ mask: Mask, connectivity: Connectivity) {
        reach = connectivity == .eight ? 1 : 0
        var above = 0..<0
        var bounds = [Int32](repeating: 0, count: mask.width + 1)
        for row in 0..<mask.height {
            let start = runs.count
            appendRuns(of: mask, row: row, bounds: &bounds)
            join(start..<runs.count, with: above)
            above = start..<runs.count
        }
        for index in roots.indices { roots[index] = root(of: index) }
    }

    private mutating func appendRuns(of mask: Mask, row: Int, bounds: inout [Int32]) {
        let count = unsafe mask.values.withUnsafeBufferPointer { values in
            // `Mask` has as many values as its size says, so the row lies inside.
            unsafe values.baseAddress.map { unsafe aqc_runs($0 + row * mask.width, mask.width, &bounds) } ?? 0
        }
        for run in 0..<count {
            roots.append(runs.count)
            runs.append(Run(row: row, columns: Int(bounds[2 * run])..<Int(bounds[2 * run + 1])))
        }
    }

    /// Both rows are ordered by column, so one walk meets every pair that touches.
    private mutating func join(_ current: Range<Int>, with above: Range<Int>) {
        var upper = above.lowerBound
        for lower in current {
            let columns = runs[lower].columns
            while upper < above.upperBound, runs[upper].columns.upperBound + reach <= columns.lowerBound {
                upper += 1
            }
            var touching = upper
            while touching < above.upperBound, runs[touching].columns.lowerBound < columns.upperBound + reach
            {
                unite(touching, lower)
                touching += 1
            }
        }
    }

    private mutating func unite(_ first: Int, _ second: Int) {
        let roots = (root(of: first), root(of: second))
        self.roots[max(roots.0, roots.1)] = min(roots.0, roots.1)
    }

    private mutating func root(of index: Int) -> Int {
        var index = index
        while roots[index] != index {
            roots[index] = roots[roots[index]]
            index = roots[index]
        }
        return index
    }
}

/// The component that each pixel of a mask belongs to, counted from 0 in reading order; -1 for normal pixels.
package struct PixelLabels: Sendable {
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// `height * width` labels, row by row from the top left.
    package private(set) var labels: [Int32]
    /// Pixels of each component, by its label.
    package private(set) var sizes: [Int] = []

    /// Labels a mask.
    package init(_ mask: Mask, connectivity: RunLabelling.Connectivity) {
        (height, width) = (mask.height, mask.width)
        labels = [Int32](repeating: -1, count: height * width)
        let labelling = RunLabelling(mask, connectivity: connectivity)
        // A component's first run holds its first pixel, so runs meet components in reading order.
        var labelOfRoot = [Int](repeating: -1, count: labelling.runs.count)
        for (run, root) in zip(labelling.runs, labelling.roots) {
            if labelOfRoot[root] < 0 {
                labelOfRoot[root] = sizes.count
                sizes.append(0)
            }
            let label = labelOfRoot[root]
            sizes[label] += run.columns.count
            for column in run.columns { labels[run.row * width + column] = Int32(label) }
        }
    }

    /// The labels, largest component first; of components of one size in reading order.
    package var largestFirst: [Int] { sizes.indices.sorted { (-sizes[$0], $0) < (-sizes[$1], $1) } }

    /// The label of a pixel; -1 outside the frame.
    package func label(x: Int, y: Int) -> Int32 {
        (0..<width).contains(x) && (0..<height).contains(y) ? labels[y * width + x] : -1
    }
}
