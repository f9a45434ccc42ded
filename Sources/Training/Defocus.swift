import Foundation
import Plate

/// A Gaussian blur, the cheap stand-in for a slightly defocused objective.
enum Defocus {
    /// Blurs with a standard deviation in pixels; the border repeats its last pixel.
    static func blurred(_ frame: Frame, sigma: Float) -> Frame {
        guard sigma > 0.1 else { return frame }
        let radius = Int((3 * sigma).rounded(.up))
        let raw = (-radius...radius).map { exp(-Float($0 * $0) / (2 * sigma * sigma)) }
        let total = raw.reduce(0, +)
        let kernel = raw.map { $0 / total }
        let across = filtered(
            frame.pixels,
            lines: frame.height,
            length: frame.width,
            lineStride: frame.width,
            step: 1,
            kernel: kernel
        )
        let both = filtered(
            across,
            lines: frame.width,
            length: frame.height,
            lineStride: 1,
            step: frame.width,
            kernel: kernel
        )
        return Frame(height: frame.height, width: frame.width, pixels: both)
    }

    private static func filtered(
        _ pixels: [Float],
        lines: Int,
        length: Int,
        lineStride: Int,
        step: Int,
        kernel: [Float]
    ) -> [Float] {
        let radius = kernel.count / 2
        var result = pixels
        for line in 0..<lines {
            for position in 0..<length {
                var sum: Float = 0
                for (tap, weight) in kernel.enumerated() {
                    let at = min(max(position + tap - radius, 0), length - 1)
                    sum += weight * pixels[line * lineStride + at * step]
                }
                result[line * lineStride + position * step] = sum
            }
        }
        return result
    }
}
