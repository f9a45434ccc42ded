import Faults
import Plate

/// Bodies that stand out from the background: a rough count, enough to compare frames by.
struct CellCensus {
    /// Relative deviation from the background that belongs to a cell.
    private static let threshold: Float = 0.1
    /// Areas of single cells, in pixels.
    private static let areas = 60...900

    /// Cells found.
    let count: Int
    /// Median diameter of a disc of the same area, in pixels; 0 without cells.
    let medianDiameter: Float
    /// Median of the mean deviation within a cell, relative to the background; 0 without cells.
    let medianContrast: Float

    init(_ frame: Frame) {
        let background = LocalBackground(frame)
        let deviations = frame.pixels.indices.map { index in
            let level = background.value(row: index / frame.width, column: index % frame.width)
            return abs(frame.pixels[index] / max(level, 1) - 1)
        }
        var bodies: [(area: Int, contrast: Float)] = []
        var seen = deviations.map { $0 <= Self.threshold }
        for start in deviations.indices where !seen[start] {
            let (area, sum) = Self.flood(start, deviations, &seen, height: frame.height, width: frame.width)
            if Self.areas.contains(area) { bodies.append((area, sum / Float(area))) }
        }
        count = bodies.count
        let middle = bodies.count / 2
        let area = bodies.isEmpty ? 0 : bodies.map(\.area).sorted()[middle]
        medianDiameter = 2 * (Float(area) / Arithmetic.pi).squareRoot()
        medianContrast = bodies.isEmpty ? 0 : bodies.map(\.contrast).sorted()[middle]
    }

    private static func flood(
        _ start: Int,
        _ deviations: [Float],
        _ seen: inout [Bool],
        height: Int,
        width: Int
    ) -> (area: Int, sum: Float) {
        var stack = [start]
        seen[start] = true
        var (area, sum) = (0, Float(0))
        while let index = stack.popLast() {
            area += 1
            sum += deviations[index]
            let (row, column) = (index / width, index % width)
            for (down, right) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
                let (y, x) = (row + down, column + right)
                guard (0..<height).contains(y), (0..<width).contains(x), !seen[y * width + x] else {
                    continue
                }
                seen[y * width + x] = true
                stack.append(y * width + x)
            }
        }
        return (area, sum)
    }
}
