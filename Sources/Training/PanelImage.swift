package import Frames
package import Plate

/// Images of a panel: made smaller by a whole factor, then grey or coloured.
package enum PanelImage {
    /// Widest image of a panel, in pixels.
    package static let width = 320

    /// Anchors of a map from black through violet, red and orange to pale yellow whose lightness rises
    /// evenly, after matplotlib's public-domain `inferno`.
    private static let anchors: [[Float]] = [
        [0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85], [227, 89, 51], [249, 140, 10],
        [249, 201, 50], [252, 255, 164],
    ]

    /// Grey, `range` from black to white.
    package static func grey(_ frame: Frame, range: ClosedRange<Float>) -> PNGImage {
        let small = reduced(frame)
        let span = max(range.upperBound - range.lowerBound, .leastNormalMagnitude)
        let bytes = small.pixels.map { UInt8(saturating: 255 * (($0 - range.lowerBound) / span)) }
        return PNGImage(height: small.height, width: small.width, colour: .grey, bytes: bytes)
    }

    /// Coloured, 0 black and `limit` the brightest.
    package static func coloured(_ map: ScoreMap, limit: Float) -> PNGImage {
        let small = reduced(Frame(height: map.height, width: map.width, pixels: map.values))
        let bytes = small.pixels.flatMap { colour($0 / max(limit, .leastNormalMagnitude)) }
        return PNGImage(height: small.height, width: small.width, colour: .rgb, bytes: bytes)
    }

    /// The colours from 0 to 1, left to right.
    package static func scale(width: Int, height: Int) -> PNGImage {
        let row = (0..<width).flatMap { colour(Float($0) / Float(max(width - 1, 1))) }
        let bytes = (0..<height).flatMap { _ in row }
        return PNGImage(height: height, width: width, colour: .rgb, bytes: bytes)
    }

    private static func colour(_ share: Float) -> [UInt8] {
        let position = min(max(share.isFinite ? share : 1, 0), 1) * Float(anchors.count - 1)
        let index = min(Int(position), anchors.count - 2)
        let rest = position - Float(index)
        return zip(anchors[index], anchors[index + 1]).map { UInt8($0 + rest * ($1 - $0)) }
    }

    /// The means of squares of pixels, so that the image is not wider than a panel takes.
    private static func reduced(_ frame: Frame) -> Frame {
        let factor = (frame.width + width - 1) / width
        guard factor > 1 else { return frame }
        let (height, width) = (max(frame.height / factor, 1), max(frame.width / factor, 1))
        var pixels = [Float](repeating: 0, count: height * width)
        for row in 0..<height * factor where row < frame.height {
            for column in 0..<width * factor {
                pixels[row / factor * width + column / factor] += frame.pixels[row * frame.width + column]
            }
        }
        let share = 1 / Float(factor * factor)
        return Frame(height: height, width: width, pixels: pixels.map { $0 * share })
    }
}
