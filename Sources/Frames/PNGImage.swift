private import CPNG
import Files
private import Glibc

/// An image of 8 bit for the browser, height x width x channels, row by row from the top left.
package struct PNGImage: Sendable, Equatable {
    /// Grey or red, green and blue.
    package enum Colour: Int, Sendable, CaseIterable {
        /// One byte a pixel.
        case grey = 1
        /// Three bytes a pixel.
        case rgb = 3
    }

    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// What the bytes of a pixel mean.
    package let colour: Colour
    /// `height * width` times one or three bytes.
    package let bytes: [UInt8]

    /// Wraps the bytes; another count of them, or a side above 2^24, is a programmer's mistake.
    package init(height: Int, width: Int, colour: Colour, bytes: [UInt8]) {
        precondition(
            height > 0 && width > 0 && max(height, width) <= 1 << 24
                && bytes.count == height * width * colour.rawValue,
            "a \(colour) image of \(height) x \(width) does not have \(bytes.count) bytes"
        )
        (self.height, self.width, self.colour, self.bytes) = (height, width, colour, bytes)
    }

    /// Reads an 8-bit grey PNG image of at most `maximumPixels`; throws `cannotRead` and `unsupported`.
    package init(path: String, maximumPixels: Int = 1 << 28) throws(PNGError) {
        var image = unsafe Self.control()
        defer { unsafe png_image_free(&image) }
        guard unsafe png_image_begin_read_from_file(&image, path) != 0 else {
            throw unsafe Self.failure(.cannotRead, path, &image)
        }
        let (height, width) = unsafe (Int(image.height), Int(image.width))
        guard unsafe image.format == aqc_png_format_grey(), max(height, width) <= 1 << 24,
            height * width <= maximumPixels
        else {
            throw PNGError(
                .unsupported,
                path,
                "the image of \(width) x \(height) is not 8-bit grey, or too large"
            )
        }
        var bytes = [UInt8](repeating: 0, count: height * width)
        let isRead = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe png_image_finish_read(&image, nil, buffer.baseAddress, Int32(width), nil)
        }
        guard isRead != 0 else { throw unsafe Self.failure(.cannotRead, path, &image) }
        self.init(height: height, width: width, colour: .grey, bytes: bytes)
    }

    /// The image as a PNG file in memory; throws `cannotWrite` where there is no memory for it.
    package func encoded() throws(PNGError) -> [UInt8] {
        var image = unsafe Self.control()
        defer { unsafe png_image_free(&image) }
        unsafe image.width = UInt32(width)
        unsafe image.height = UInt32(height)
        unsafe image.format = colour == .grey ? aqc_png_format_grey() : aqc_png_format_rgb()
        // A page that shows a plate live is helped more by a quick image than by a small one.
        unsafe image.flags = UInt32(PNG_IMAGE_FLAG_FAST)
        var size = unsafe aqc_png_largest_size(&image)
        var file = [UInt8](repeating: 0, count: size)
        let isWritten = unsafe file.withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                unsafe png_image_write_to_memory(
                    &image,
                    target.baseAddress,
                    &size,
                    0,
                    source.baseAddress,
                    Int32(width * colour.rawValue),
                    nil
                )
            }
        }
        guard isWritten != 0 else { throw unsafe Self.failure(.cannotWrite, "", &image) }
        file.removeLast(file.count - size)
        return file
    }

    /// Writes the image as a PNG file, which replaces what was there; throws `cannotWrite`.
    package func write(to path: String) throws(PNGError) {
        let file = try encoded()
        do { try OutputFile.write(file, to: path) } catch {
            throw PNGError(.cannotWrite, path, "the file cannot be written (\(error.detail))")
        }
    }

    /// An empty control structure of libpng's simplified interface, which keeps `setjmp` inside libpng.
    private static func control() -> png_image {
        var image = unsafe png_image()
        unsafe image.version = aqc_png_version()
        return unsafe image
    }

    private static func failure(_ code: PNGError.Code, _ path: String, _ image: inout png_image) -> PNGError {
        let text = unsafe String(cString: aqc_png_message(&image))
        return PNGError(code, path, "libpng says: \(text)")
    }
}

/// Why a PNG image was not read or written.
package struct PNGError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable, Equatable, CaseIterable {
        /// The file cannot be read, or is not a PNG image, or is damaged.
        case cannotRead
        /// A valid image that is not 8-bit grey, or too large.
        case unsupported
        /// The file could not be written, or there is no memory to encode it.
        case cannotWrite
    }

    /// The kind of failure.
    package let code: Code
    /// The file; empty where the image was only encoded.
    package let path: String
    /// What is wrong, as a clause without a full stop.
    package let detail: String

    init(_ code: Code, _ path: String, _ detail: String) {
        (self.code, self.path, self.detail) = (code, path, detail)
    }

    /// A full sentence.
    package var description: String { "\(path.isEmpty ? "a PNG image" : path): \(detail)." }
}
