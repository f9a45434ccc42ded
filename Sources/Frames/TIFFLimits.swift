/// How large a TIFF file may claim to be before it is refused, checked before any memory is taken, and how long a page
/// may take.
///
/// Reading one page takes at most `maximumDecodedBytes` for its largest strip or tile, four bytes a pixel for
/// the frame, and what the codec needs itself (zstd: up to 128 MiB).
package struct TIFFLimits: Sendable, Equatable {
    /// Widest page, in pixels.
    package var maximumWidth: Int
    /// Highest page, in pixels.
    package var maximumHeight: Int
    /// Most pixels in one page.
    package var maximumPixels: Int
    /// Most pages in one file.
    package var maximumPages: Int
    /// Most bytes that one page, strip or tile may decode to, in the sample type of the file.
    package var maximumDecodedBytes: Int
    /// Longest time that reading and decoding one page may take, looked at after each strip or tile.
    package var maximumDecodingTime: Duration

    /// From a 1280 x 800 frame up to a stitched one of 16,384 x 16,384 pixels of 8, 16 or 32 bit.
    package static let `default` = TIFFLimits()

    /// Sets the limits; each must be positive, another value is a programmer's mistake.
    package init(
        maximumWidth: Int = 32_768,
        maximumHeight: Int = 32_768,
        maximumPixels: Int = 16_384 * 16_384,
        maximumPages: Int = 65_536,
        maximumDecodedBytes: Int = 1 << 30,
        maximumDecodingTime: Duration = .seconds(20)
    ) {
        precondition(
            min(maximumWidth, maximumHeight, maximumPixels, maximumPages, maximumDecodedBytes) > 0,
            "limits must be positive"
        )
        precondition(max(maximumWidth, maximumHeight) <= 1 << 30, "a side has at most 2^30 pixels")
        self.maximumWidth = maximumWidth
        self.maximumHeight = maximumHeight
        self.maximumPixels = maximumPixels
        self.maximumPages = maximumPages
        self.maximumDecodedBytes = maximumDecodedBytes
        self.maximumDecodingTime = maximumDecodingTime
    }
}
