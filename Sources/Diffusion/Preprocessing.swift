import CKernels
import Mathematics
package import Plate

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
        let reach = max(median - percentile(0.001), percentile(0.999) - median)
        guard reach > Self.smallestReach else { return nil }
        self.init(background: median, reach: reach)
    }

    /// Quotients by less than this are beyond what 32-bit floats hold.
    private static let smallestReach: Float = 1e-12

    /// Grey values as the network sees them: 0 is background, normal cells lie in [-1, 1].
    package func normalised(_ grey: [Float]) -> [Float] {
        guard let scale = stepScale else { return grey.map { ($0 - background) / reach } }
        return GreySteps.values(grey, background: background, shift: Self.backgroundSteps, scale: scale)
    }

    /// The grey values of an image in [0, 1], as reconstructions are.
    package func grey(ofUnit image: [Float]) -> [Float] {
        guard let stepScale else { return image.map { (2 * $0 - 1) * reach + background } }
        let factor = GreySteps.factor(background)
        return image.map { ((2 * $0 - 1) / stepScale + Self.backgroundSteps) / factor }
    }

    /// The background in `GreySteps`.
    static let backgroundSteps = 100 * GreySteps.perHundredth

    /// What one of `GreySteps` is to the network; `nil` for a background of 0, which has none.
    var stepScale: Float? {
        background > 0 ? 1 / max(GreySteps.steps(reach, background: background), 1) : nil
    }
}

/// Smooths along edges, not across them: every grey level's contour moves at the speed of its curvature.
///
/// Explicit steps of u_t = (u_yy u_x^2 - 2 u_x u_y u_xy + u_xx u_y^2) / (u_x^2 + u_y^2) by central
/// differences with a replicated border (Sethian 1996); the update is 0 where the squared gradient is below
/// 1e-9. ITK's `CurvatureFlow`.
package struct CurvatureFlow: Sendable, Equatable {
    /// Length of a step, stable up to 0.25 for pixels of size 1.
    package let timeStep: Float
    /// Number of steps.
    package let iterations: Int

    /// Chooses the steps; the defaults are the published ones.
    package init(timeStep: Float = 0.125, iterations: Int = 3) {
        precondition(timeStep > 0 && iterations >= 0, "no flow of \(iterations) steps of \(timeStep)")
        self.timeStep = timeStep
        self.iterations = iterations
    }

    /// The smoothed frame, in the same grey units.
    package func smoothed(_ frame: Frame) -> Frame {
        var current = frame.pixels
        var next = current
        for _ in 0..<iterations {
            unsafe aqc_curvature_step(current, &next, frame.height, frame.width, timeStep)
            swap(&current, &next)
        }
        return Frame(height: frame.height, width: frame.width, pixels: current)
    }
}

extension Frame {
    /// Maps the darkest pixel to 0 and the brightest to 1; a frame of one grey value becomes 0 everywhere.
    package func rescaledToUnitRange() -> Frame { rescaled(from: greyRange) }

    /// The darkest and the brightest pixel.
    var greyRange: ClosedRange<Float> {
        var low = Float.infinity
        var high = -Float.infinity
        for pixel in pixels {
            low = min(low, pixel)
            high = max(high, pixel)
        }
        return low <= high ? low...high : 0...0
    }

    /// Maps a range of grey values to [0, 1], and others beyond; a range of one value is as if it were 1 wide.
    func rescaled(from range: ClosedRange<Float>) -> Frame {
        let (low, high) = (range.lowerBound, range.upperBound)
        let span = high > low ? high - low : 1
        return Frame(height: height, width: width, pixels: pixels.map { ($0 - low) / span })
    }
}

extension Frame {
    /// The square of `size` pixels in the middle; what lies beyond the frame is 0.
    package func centreCrop(_ size: Int) -> Frame {
        precondition(size > 0, "a crop of \(size) pixels")
        return window(row: height / 2 - size / 2, column: width / 2 - size / 2, height: size, width: size)
    }

    /// The part that starts at a row and a column, which may lie outside; what lies beyond the frame is 0.
    package func window(row top: Int, column left: Int, height rows: Int, width columns: Int) -> Frame {
        var pixels = [Float](repeating: 0, count: rows * columns)
        let inside = max(left, 0)..<max(min(left + columns, width), max(left, 0))
        for row in max(top, 0)..<max(min(top + rows, height), max(top, 0)) {
            let target = (row - top) * columns - left
            for column in inside { pixels[target + column] = self[row, column] }
        }
        return Frame(height: rows, width: columns, pixels: pixels)
    }
}
