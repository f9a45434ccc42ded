import CKernels

/// Grey values to the network's scale, fixed by the training set, so that a frame too dark or too bright stays so.
package struct Normalisation: Sendable, Equatable, Codable {
    /// The grey value that becomes 0: the background of normal frames.
    package let background: Float
    /// The distance from the background that becomes 1: the reach of cells in normal frames, in grey units.
    package let reach: Float

    /// A scale; `nil` unless both are finite and the reach is above 0.
    package init?(background: Float, reach: Float) {
        guard background.isFinite, reach.isFinite, reach > 0 else { return nil }
        (self.background, self.reach) = (background, reach)
    }

    /// The scale of a set of normal grey values: the median, and the farther of the 0.1 and 99.9 percentiles from it.
    ///
    /// `nil` for no values or for values that are all alike.
    package init?(sample: [Float]) {
        guard !sample.isEmpty else { return nil }
        let sorted = sample.sorted()
        let percentile = { (share: Double) in sorted[Int(share * Double(sorted.count - 1))] }
        let median = percentile(0.5)
        self.init(
            background: median,
            reach: max(median - percentile(0.001), percentile(0.999) - median)
        )
    }

    /// Grey values as the network sees them: 0 is background, normal cells lie in [-1, 1].
    package func normalised(_ grey: [Float]) -> [Float] {
        unsafe [Float](filling: grey.count) { image in
            unsafe aqc_shift_scale(grey, image, grey.count, background, 1 / reach)
        }
    }
}
