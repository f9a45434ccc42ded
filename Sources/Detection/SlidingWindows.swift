import Foundation

/// How square windows slide over a frame, and how their results are blended.
///
/// Windows start every `interval` pixels and the last one is flush with the border. Where they overlap, each counts with a
/// Gaussian of its distance from the window's centre (sigma an eighth of the window), but at least with a thousandth of
/// what an exact hit would: MONAI's sliding-window inference, which the published system uses.
package struct SlidingWindows: Sendable, Equatable {
    /// Pixels per side of a window.
    package let window: Int
    /// Pixels from the start of one window to that of the next.
    package let interval: Int

    /// Windows that overlap by a share in [0, 1); the interval is at least 1 pixel.
    package init(window: Int, overlap: Double) {
        precondition(window > 0 && overlap >= 0 && overlap < 1, "windows of \(window) overlap by \(overlap)")
        self.window = window
        interval = max(Int(Double(window) * (1 - overlap)), 1)
    }

    /// Where windows start along an axis of some length; one window for what is shorter.
    package func starts(length: Int) -> [Int] {
        guard length > window else { return [0] }
        let last = length - window
        return Array(stride(from: 0, to: last, by: interval)) + [last]
    }

    /// The upper left corners of all windows of a frame, row by row.
    package func positions(height: Int, width: Int) -> [(row: Int, column: Int)] {
        let columns = starts(length: width)
        return starts(length: height).flatMap { row in columns.map { (row, $0) } }
    }

    /// What each pixel of a window counts for, window x window, row-major.
    package var importance: [Float] {
        let deviation = 0.125 * Float(window)
        let axis = (0..<window).map { index in
            let distance = Float(index) - Float(window - 1) / 2
            return exp(-distance * distance / (2 * deviation * deviation))
        }
        return axis.flatMap { row in axis.map { max(row * $0, Self.leastImportance) } }
    }

    private static let leastImportance: Float = 1e-3
}
