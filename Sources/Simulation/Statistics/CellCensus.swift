import Mathematics
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
        let mask = Mask(
            height: frame.height,
            width: frame.width,
            values: deviations.map { $0 > Self.threshold ? 1 : 0 }
        )
        let labels = PixelLabels(mask, connectivity: .four)
        var sums = [Float](repeating: 0, count: labels.sizes.count)
        for (label, deviation) in zip(labels.labels, deviations) where label >= 0 {
            sums[Int(label)] += deviation
        }
        let bodies = labels.sizes.indices.filter { Self.areas.contains(labels.sizes[$0]) }
        count = bodies.count
        guard count > 0 else {
            (medianDiameter, medianContrast) = (0, 0)
            return
        }
        let area = bodies.map { Float(labels.sizes[$0]) }.upperMedian
        medianDiameter = 2 * (area / Arithmetic.pi).squareRoot()
        medianContrast = bodies.map { sums[$0] / Float(labels.sizes[$0]) }.upperMedian
    }
}
