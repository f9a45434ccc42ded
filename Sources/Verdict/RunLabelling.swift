import CKernels
import Plate

/// The 8-connected components of a mask, found from its runs: stretches of faulty pixels within a row.
struct RunLabelling {
    /// A stretch of faulty pixels.
    struct Run {
        let row: Int
        let columns: Range<Int>
    }

    /// All runs, row by row.
    private(set) var runs: [Run] = []
    /// For each run the first run of its component.
    private(set) var roots: [Int] = []

    init(_ mask: Mask) {
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
            while upper < above.upperBound, runs[upper].columns.upperBound < columns.lowerBound { upper += 1 }
            var touching = upper
            while touching < above.upperBound, runs[touching].columns.lowerBound <= columns.upperBound {
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
