package import Plate

/// The Gaussian blur: of augmented frames, of injected defocus, and of simulated cells.
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
        return alongColumns(alongRows(frame, kernel), kernel)
    }

    /// The taps are the outer loop: each pixel's sum still has them in order, and a whole row is added at once.
    private static func alongRows(_ frame: Frame, _ kernel: [Float]) -> Frame {
        let (width, radius) = (frame.width, kernel.count / 2)
        var result = frame
        var line = [Float](repeating: 0, count: width + 2 * radius)
        var sums = [Float](repeating: 0, count: width)
        for start in stride(from: 0, to: frame.pixels.count, by: width) {
            for index in line.indices {
                line[index] = frame.pixels[start + min(max(index - radius, 0), width - 1)]
            }
            for column in 0..<width { sums[column] = 0 }
            for tap in kernel.indices {
                let weight = kernel[tap]
                for column in 0..<width { sums[column] += weight * line[column + tap] }
            }
            for column in 0..<width { result.pixels[start + column] = sums[column] }
        }
        return result
    }

    private static func alongColumns(_ frame: Frame, _ kernel: [Float]) -> Frame {
        let (width, radius) = (frame.width, kernel.count / 2)
        var result = frame
        var sums = [Float](repeating: 0, count: width)
        for row in 0..<frame.height {
            for column in 0..<width { sums[column] = 0 }
            for tap in kernel.indices {
                let weight = kernel[tap]
                let start = min(max(row + tap - radius, 0), frame.height - 1) * width
                for column in 0..<width { sums[column] += weight * frame.pixels[start + column] }
            }
            for column in 0..<width { result.pixels[row * width + column] = sums[column] }
        }
        return result
    }
}
