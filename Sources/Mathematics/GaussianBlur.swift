package import Plate

/// The Gaussian blur: of frames that are measured, and of simulated cells.
///
/// Exponentials and the order of sums are fixed, so that the result has the same bits on every machine.
package enum GaussianBlur {
    /// Below this standard deviation, in pixels, the weights beside the middle vanish in a float.
    private static let smallest: Float = 0.1

    /// The weights of `2 * radius + 1` neighbours in a line; they add up to 1.
    package static func kernel(sigma: Float, radius: Int) -> [Float] {
        var kernel = (-radius...radius).map {
            Arithmetic.exponential(-Float($0 * $0) / (2 * sigma * sigma))
        }
        let total = kernel.reduce(0, +)
        for tap in kernel.indices { kernel[tap] /= total }
        return kernel
    }

    /// A frame blurred by a standard deviation in pixels, up to three of which count; the border repeats its last pixel.
    package static func blurred(_ frame: Frame, sigma: Float) -> Frame {
        guard sigma > smallest else { return frame }
        let kernel = kernel(sigma: sigma, radius: Int((3 * sigma).rounded(.up)))
        let rows = SeparableFilter.alongRows(frame, kernel, .repeated)
        return SeparableFilter.alongColumns(rows, kernel, .repeated)
    }
}
