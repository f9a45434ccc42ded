private import CTIFF
package import Plate

/// Writes grey frames and masks as TIFF, page by page, with OME-XML in the first page.
///
/// Little-endian, strips of about 256 KiB, no predictor (not every microscopy program knows one), BigTIFF
/// only where classic offsets may not suffice. The same input gives the same bytes. Writes to the path it is
/// given: the caller makes it a temporary one, syncs and renames. The file is whole once the last page is
/// appended.
package final class TIFFWriter {
    /// How grey values are stored.
    package enum SampleType: String, Sendable, CaseIterable {
        /// 8 bit, rounded and cut to 0...255.
        case uint8
        /// 16 bit, rounded and cut to 0...65535.
        case uint16
        /// 32-bit float, as it is.
        case float32 = "float"
    }

    /// How pixels are compressed, without loss.
    package enum Compression: Sendable, CaseIterable {
        /// Stored as they are.
        case none
        /// The one that every reader knows.
        case deflate
        /// The same at its least effort, as cameras write: several times as fast, the file a little larger.
        case fastDeflate
    }

    private let path: String
    private let height: Int
    private let width: Int
    private let pages: Int
    private let type: SampleType
    private let compression: Compression
    private let pixelSize: PixelSize?
    private let timeInterval: Double?
    private let notes: OMENotes?
    private let handle: TIFFHandle
    private var written = 0

    /// Creates the file, or empties it, for `pages` frames of `height` x `width`.
    ///
    /// `pixelSize` is in um and `timeInterval` in s, from frame to frame. Throws `cannotWrite`.
    package init(
        path: String,
        height: Int,
        width: Int,
        pages: Int = 1,
        type: SampleType = .uint8,
        compression: Compression = .deflate,
        pixelSize: PixelSize? = nil,
        timeInterval: Double? = nil,
        notes: OMENotes? = nil
    ) throws(TIFFError) {
        precondition(
            height > 0 && width > 0 && pages > 0,
            "no file has \(pages) pages of \(height) x \(width)"
        )
        precondition(max(height, width) <= 1 << 30, "\(height) x \(width) pixels are too many")
        // Eight bytes a pixel leave room for data that grow under Deflate, and for the directories.
        let largest = Double(height) * Double(width) * Double(pages) * 8
        handle = try TIFFHandle(writing: path, isBig: largest > Double(UInt32.max))
        (self.path, self.height, self.width, self.pages) = (path, height, width, pages)
        (self.type, self.compression) = (type, compression)
        (self.pixelSize, self.timeInterval, self.notes) = (pixelSize, timeInterval, notes)
    }

    /// Writes one frame as a file of its own; throws `cannotWrite`.
    package static func write(
        _ frame: Frame,
        to path: String,
        type: SampleType = .uint8,
        compression: Compression = .deflate,
        pixelSize: PixelSize? = nil,
        timeInterval: Double? = nil,
        notes: OMENotes? = nil
    ) throws(TIFFError) {
        let writer = try TIFFWriter(
            path: path,
            height: frame.height,
            width: frame.width,
            type: type,
            compression: compression,
            pixelSize: pixelSize,
            timeInterval: timeInterval,
            notes: notes
        )
        try writer.append(frame)
    }

    /// Writes a mask as 8-bit grey, 0 for normal and 255 for faulty; throws `cannotWrite`.
    package static func write(
        _ mask: Mask,
        to path: String,
        compression: Compression = .deflate,
        pixelSize: PixelSize? = nil
    ) throws(TIFFError) {
        let writer = try TIFFWriter(
            path: path,
            height: mask.height,
            width: mask.width,
            compression: compression,
            pixelSize: pixelSize
        )
        try writer.append(mask.values) { $0 == 0 ? UInt8(0) : 255 }
    }

    /// Writes the next page; a frame of another size, or one too many, is a programmer's mistake.
    ///
    /// Throws `cannotWrite`, after which the file is of no use.
    package func append(_ frame: Frame) throws(TIFFError) {
        precondition(
            frame.height == height && frame.width == width,
            "a frame of \(frame.height) x \(frame.width) in a file of \(height) x \(width)"
        )
        switch type {
        case .uint8: try append(frame.pixels) { UInt8(truncatingIfNeeded: Self.whole($0, upTo: 255)) }
        case .uint16:
            try append(frame.pixels) { UInt16(truncatingIfNeeded: Self.whole($0, upTo: 65_535)) }
        case .float32: try append(frame.pixels) { $0 }
        }
    }

    /// Rounds, halves upwards, and cuts to 0...`top`; a value that is not a number becomes 0.
    ///
    /// Without a branch or a call, so that the compiler makes vectors of it.
    private static func whole(_ value: Float, upTo top: Float) -> UInt32 {
        let kept = value > 0 ? min(value, top) : 0
        // Adding 1.5 x 2^23 leaves the nearest whole number in the lowest bits, of two the even one.
        let magic: Float = 12_582_912
        let shifted = kept + magic
        let isHalfTooLow = kept - (shifted - magic) == 0.5
        return shifted.bitPattern &- magic.bitPattern &+ (isHalfTooLow ? 1 : 0)
    }

    private func append<Value, Sample: BitwiseCopyable>(
        _ values: [Value],
        convert: (Value) -> Sample
    ) throws(TIFFError) {
        precondition(written < pages, "the file was made for \(pages) pages")
        let rowBytes = width * MemoryLayout<Sample>.stride
        let rows = min(height, max(1, (256 << 10) / rowBytes))
        try describe(bits: MemoryLayout<Sample>.stride * 8, rowsPerStrip: rows)
        for strip in 0..<(height + rows - 1) / rows {
            let top = strip * rows
            let pixels = top * width..<min(top + rows, height) * width
            var samples = unsafe values.withUnsafeBufferPointer { values in
                // The slice is checked once, its pixels are not.
                let strip = unsafe UnsafeBufferPointer(rebasing: values[pixels])
                return unsafe [Sample](unsafeUninitializedCapacity: strip.count) { buffer, initialised in
                    for index in strip.indices {
                        unsafe buffer.initializeElement(at: index, to: convert(strip[index]))
                    }
                    initialised = strip.count
                }
            }
            try handle.write(strip: strip, &samples)
        }
        try handle.finishPage()
        written += 1
    }

    private func describe(bits: Int, rowsPerStrip: Int) throws(TIFFError) {
        try handle.set(TIFFTAG_IMAGEWIDTH, width)
        try handle.set(TIFFTAG_IMAGELENGTH, height)
        try handle.set(TIFFTAG_BITSPERSAMPLE, bits)
        try handle.set(TIFFTAG_SAMPLESPERPIXEL, 1)
        let format = type == .float32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT
        try handle.set(TIFFTAG_SAMPLEFORMAT, Int(format))
        try handle.set(TIFFTAG_PHOTOMETRIC, Int(PHOTOMETRIC_MINISBLACK))
        try handle.set(TIFFTAG_PLANARCONFIG, Int(PLANARCONFIG_CONTIG))
        let scheme = compression == .none ? COMPRESSION_NONE : COMPRESSION_ADOBE_DEFLATE
        try handle.set(TIFFTAG_COMPRESSION, Int(scheme))
        if compression == .fastDeflate { try handle.set(TIFFTAG_ZIPQUALITY, 1) }
        try handle.set(TIFFTAG_ROWSPERSTRIP, rowsPerStrip)
        if let pixelSize {
            // For programs that do not read OME-XML: pixels per cm.
            try handle.set(TIFFTAG_RESOLUTIONUNIT, Int(RESUNIT_CENTIMETER))
            try handle.set(TIFFTAG_XRESOLUTION, 1e4 / pixelSize.x)
            try handle.set(TIFFTAG_YRESOLUTION, 1e4 / pixelSize.y)
        }
        guard written == 0 else { return }
        let xml = OMEMetadata.xml(
            width: width,
            height: height,
            pages: pages,
            type: type.rawValue,
            pixelSize: pixelSize,
            timeInterval: timeInterval,
            notes: notes
        )
        try handle.set(TIFFTAG_IMAGEDESCRIPTION, xml)
    }
}

/// Score maps as files: TIFF of 16-bit grey, Deflate, `grey / 65535` is the residual.
///
/// Residuals of normalised frames lie in [0, 1], so one scale serves all files and none has to be told; what lies above
/// is cut to 1. A residual is off by 1/131070 at most. Any program for microscopy shows the file.
package enum ScoreMapFile {
    private static let white: Float = 65_535

    /// Writes a map, with the pixel size of its frame in um; throws `cannotWrite`.
    package static func write(_ map: ScoreMap, pixelSize: PixelSize?, to path: String) throws(TIFFError) {
        let writer = try TIFFWriter(
            path: path,
            height: map.height,
            width: map.width,
            type: .uint16,
            compression: .fastDeflate,
            pixelSize: pixelSize
        )
        try writer.append(
            Frame(height: map.height, width: map.width, pixels: map.values.map { $0 * white })
        )
    }

    /// Reads a map that was written so; throws what `TIFFReader` throws.
    package static func read(path: String) throws(TIFFError) -> ScoreMap {
        let frame = try TIFFReader(path: path).frame(page: 0)
        return ScoreMap(height: frame.height, width: frame.width, values: frame.pixels.map { $0 / white })
    }
}
