package import Plate

/// Reads the pages of a TIFF file as grey frames.
///
/// Supported: classic and BigTIFF, both byte orders, strips and tiles, contiguous and separate planes;
/// unsigned samples of 8, 16 and 32 bit, float of 32 and 64 bit; no compression, LZW, Deflate, PackBits,
/// zstd, with predictors 2 and 3; grey, or RGB(A) whose three colours agree in every pixel. Where zero is
/// white (`MinIsWhite`) values are turned around, so that brighter is higher in every frame. Orientation tags
/// and transparency are not looked at. Samples of 32 bit and more are rounded to `Float`.
///
/// The whole file is checked before libtiff sees it, and every claim of size before memory is taken. One
/// reader belongs to one task; the file is closed when the reader goes.
package final class TIFFReader {
    /// The text of the first page, OME-XML in files of microscopes; at most its first 16 MiB.
    package let imageDescription: String?
    /// How large a pixel is, in um, where the file's OME-XML says it.
    package let pixelSize: PixelSize?
    /// Time from one frame to the next, in s, where the file's OME-XML says it.
    package let timeInterval: Double?

    private let file: TIFFFile
    private let index: TIFFIndex
    private let limits: TIFFLimits
    private var handle: TIFFHandle?
    private var firstSize: (width: Int, height: Int)?

    /// Opens a file and walks through its directories, not through its pixels.
    ///
    /// Throws `cannotOpen`, `notTIFF`, `truncated`, `damaged`, `tooLarge`.
    package init(path: String, limits: TIFFLimits = .default) throws(TIFFError) {
        let file = try TIFFFile(path: path)
        let index = try TIFFIndex(file: file, limits: limits)
        let description = try index.pages[0].text(.imageDescription, limit: 16 << 20)
        let metadata = description.flatMap { OMEMetadata(xml: $0) }
        imageDescription = description
        pixelSize = metadata?.pixelSize
        timeInterval = metadata?.timeInterval
        self.file = file
        self.index = index
        self.limits = limits
    }

    /// Pages in the file; a movie has one for each frame.
    package var pageCount: Int { index.pages.count }

    /// Decodes one page, counted from 0; a page that the file does not have is a programmer's mistake.
    ///
    /// Throws `unsupported` for kinds that are not read, colour and pages unlike the first one in size;
    /// `tooLarge`; `tooSlow`; `truncated`; `damaged` for data that do not decode or are not finite; `cannotOpen`.
    package func frame(page: Int) throws(TIFFError) -> Frame {
        precondition(index.pages.indices.contains(page), "there is no page \(page) among \(pageCount)")
        let layout = try TIFFPage(index.pages[page], number: page, file: file, limits: limits)
        try checkSize(of: layout)
        let handle = try openHandle()
        try handle.select(layout)
        let decoder = TIFFDecoder(
            page: layout,
            handle: handle,
            file: file,
            timeLimit: limits.maximumDecodingTime
        )
        let pixels: [Float]
        switch layout.kind {
        case .uint8: pixels = try decoder.pixels(from: UInt8.self)
        case .uint16: pixels = try decoder.pixels(from: UInt16.self)
        case .uint32: pixels = try decoder.pixels(from: UInt32.self)
        case .float32: pixels = try decoder.pixels(from: Float.self)
        case .float64: pixels = try decoder.pixels(from: Double.self)
        }
        return Frame(height: layout.height, width: layout.width, pixels: pixels)
    }

    /// Opened for the first page that is decoded: a file that is refused never meets libtiff.
    private func openHandle() throws(TIFFError) -> TIFFHandle {
        if let handle { return handle }
        let opened = try TIFFHandle(reading: file, limits: limits)
        handle = opened
        return opened
    }

    /// Frames of one time series are of one size; a thumbnail among them is none of them.
    private func checkSize(of page: TIFFPage) throws(TIFFError) {
        if firstSize == nil {
            firstSize = try TIFFPageTags(directory: index.pages[0], number: 0, file: file).size(
                limits: limits
            )
        }
        guard let firstSize, (page.width, page.height) != firstSize else { return }
        throw file.error(
            .unsupported,
            "page \(page.number) is \(page.width) x \(page.height), the first page \(firstSize.width) x "
                + "\(firstSize.height)"
        )
    }
}
