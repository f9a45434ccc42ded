package import Plate

extension Frame {
    /// Maps the darkest pixel to 0 and the brightest to 1; a frame of one grey value becomes 0 everywhere.
    package func rescaledToUnitRange() -> Frame {
        var low = Float.infinity
        var high = -Float.infinity
        for pixel in pixels {
            low = min(low, pixel)
            high = max(high, pixel)
        }
        let span = high > low ? high - low : 1
        return Frame(height: height, width: width, pixels: pixels.map { ($0 - low) / span })
    }
}
