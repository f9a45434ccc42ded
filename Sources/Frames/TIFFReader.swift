import Glibc
package import Plate

/// Reads the pages of a TIFF file as grey frames.
///
/// Supported: classic and BigTIFF, both byte orders, strips and tiles, contiguous and separate planes; unsigned samples of 2
/// to 16 and of 32 bit, packed or in words, signed ones of 8, 16 and 32, float of 16, 32 and 64; no compression, LZW, Deflate,
/// PackBits, zstd, with predictors 2 and 3; grey, palettes that are a ramp of greys, or several samples that agree in every
/// pixel, as in RGB without colour. Where zero is white values are turned around, so that brighter is higher in every frame.
/// Orientation tags and transparency are not looked at. Samples of 32 bit and more are rounded to `Float`.
///
/// `frames` are the pages that show the chosen channel and z-plane, in order of time; `TIFFPlanes` finds them. Planes that
/// lie behind the only page without directories of their own (ImageJ, MetaMorph) count as pages. docs/files.md says what is
/// read and what refusals mean.
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
    /// The pages that are frames, in order of time; all have a directory, but their pixels may not be there yet.
    ///
    /// Empty for a file of a set that has no plane of the chosen channel and z-plane.
    package let frames: [TimePoint]
    /// The first frame that the file counts and that it has no directory for, and why; `nil` where all are there.
    package let missing: MissingFrame?
    /// What a user should know about the choice of channel and z-plane, as a clause; `nil` where there was none.
    package let note: String?

    /// A frame that should be there.
    package struct MissingFrame: Sendable {
        /// Where it would be.
        package let frame: TimePoint
        /// Why it is not; retriable where it may still come.
        package let error: TIFFError
    }

    let file: TIFFFile
    let index: TIFFIndex
    let planes: TIFFPlanes
    private let limits: TIFFLimits
    private var handle: TIFFHandle?
    private var firstSize: (width: Int, height: Int)?

    /// Opens a file and walks through its directories, not through its pixels.
    ///
    /// Throws `cannotOpen`, `notTIFF`, `truncated`, `damaged`, `tooLarge`; `layout` where it is not certain which page shows
    /// what; `choice` where the file has no such channel or z-plane.
    package init(path: String, limits: TIFFLimits = .default, choice: PlaneChoice = PlaneChoice())
        throws(TIFFError)
    {
        let file = try TIFFFile(path: path)
        let index = try TIFFIndex(file: file, limits: limits)
        let description = try index.pages[0].text(.imageDescription, limit: 16 << 20)
        let document = description.map {
            OMEDocument(xml: $0, stopsAtOnePlane: index.pages.count == 1 && index.broken == nil)
        }
        let planes = try TIFFPlanes(
            index: index,
            description: description,
            document: document,
            file: file,
            limits: limits
        )
        let selection = try planes.selection(choice, file: file)
        imageDescription = description
        pixelSize = document?.images.first?.metadata.pixelSize
        timeInterval = document?.images.first?.metadata.timeInterval
        (frames, missing, note) = (selection.frames, selection.missing, selection.note)
        self.file = file
        self.index = index
        self.planes = planes
        self.limits = limits
    }

    /// Pages in the file, frames or not; a page that is no frame can be read all the same.
    package var pageCount: Int { planes.pageCount }

    /// Decodes one page, counted from 0.
    ///
    /// Throws `unsupported` for kinds that are not read and pages unlike the first frame in size; `colour`; `tooLarge`;
    /// `tooSlow`; `truncated`; `damaged` for data that do not decode or are not finite; `cannotOpen`.
    package func frame(page: Int) throws(TIFFError) -> Frame {
        let layout = try self.layout(page: page)
        try checkSize(of: layout)
        let decoder = TIFFDecoder(
            page: layout,
            isLittleEndian: index.format.isLittleEndian,
            handle: layout.compression == .none ? nil : try openHandle(),
            file: file,
            timeLimit: limits.maximumDecodingTime
        )
        try decoder.handle?.select(layout)
        return Frame(height: layout.height, width: layout.width, pixels: try decoder.pixels())
    }

    /// The size of a page, and the kind of file that holds its grey values as they are; nothing is decoded.
    ///
    /// Throws what `frame(page:)` throws for what the directory tells.
    package func shape(
        page: Int
    ) throws(TIFFError) -> (height: Int, width: Int, type: TIFFWriter.SampleType) {
        let layout = try self.layout(page: page)
        let isWhole = layout.format.number == .unsigned && layout.format.bits <= 16
        return (
            layout.height, layout.width, isWhole ? (layout.format.bits <= 8 ? .uint8 : .uint16) : .float32
        )
    }

    /// Where and how the pixels of a page are stored.
    func layout(page: Int) throws(TIFFError) -> TIFFPage {
        // The file may have become another one since somebody counted.
        guard 0..<pageCount ~= page else {
            throw file.error(.damaged, "there is no page \(page) among its \(pageCount) pages")
        }
        return try TIFFPage(
            index.pages[planes.stride == nil ? page : 0],
            number: page,
            shift: planes.stride.map { $0 * UInt64(page) } ?? 0,
            significantBits: planes.significantBits,
            file: file,
            limits: limits
        )
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
        let first = frames.first?.page ?? 0
        if firstSize == nil, planes.stride == nil {
            firstSize = try TIFFPageTags(directory: index.pages[first], number: first, file: file).size(
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

/// Limits on the size that a TIFF file may claim, checked before any memory is allocated, and on the time that a page
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
        (self.maximumWidth, self.maximumHeight) = (maximumWidth, maximumHeight)
        (self.maximumPixels, self.maximumPages) = (maximumPixels, maximumPages)
        self.maximumDecodedBytes = maximumDecodedBytes
        self.maximumDecodingTime = maximumDecodingTime
    }
}

/// Why a TIFF file was not read or written: what is wrong, where, and what to do about it.
///
/// | code | what to do |
/// |---|---|
/// | `cannotOpen` | check the path, the permissions and the share |
/// | `notTIFF` | wait if the file is still being written; otherwise it is some other kind of file |
/// | `truncated` | wait if the file is still being written; otherwise it was cut: acquire or copy it again |
/// | `unsupported` | save the frame as grey, with no or lossless compression |
/// | `colour` | convert the frame to grey |
/// | `layout` | save the stack with a page for each image |
/// | `choice` | choose a channel and a z-plane that the file has |
/// | `tooLarge` | raise the `TIFFLimits` if the size is meant |
/// | `tooSlow` | look at the share, or raise the `TIFFLimits` if such pages are meant |
/// | `damaged` | acquire or copy the file again |
/// | `cannotWrite` | check the permissions and the free space of the folder |
package struct TIFFError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure, each with its own remedy.
    package enum Code: String, Sendable, Equatable, CaseIterable {
        /// The operating system did not open or read the file.
        case cannotOpen
        /// The file does not begin as a TIFF file does.
        case notTIFF
        /// Something that the file refers to lies behind its end.
        case truncated
        /// A valid file of a kind that is not a grey frame this system reads.
        case unsupported
        /// An image in colour.
        case colour
        /// It is not certain which page shows what, or where planes without a directory lie.
        case layout
        /// There is no such channel or z-plane.
        case choice
        /// Larger than the limits allow.
        case tooLarge
        /// Reading and decoding took longer than the limits allow.
        case tooSlow
        /// The file contradicts itself, or its compressed data do not decode.
        case damaged
        /// The file could not be written.
        case cannotWrite
    }

    /// The kind of failure.
    package let code: Code
    /// The file, as it was named by the caller.
    package let path: String
    /// What is wrong and where, as a clause without a full stop.
    package let detail: String
    /// The operating system's error number, where it gave one.
    package let errno: Int32?

    /// `detail` is a clause such as "strip 3 ends behind the end of the file".
    init(_ code: Code, _ path: String, _ detail: String, errno: Int32? = nil) {
        (self.code, self.path, self.detail, self.errno) = (code, path, detail, errno)
    }

    /// Whether the same file may be readable later, because it may still be in the course of being written.
    package var isRetriable: Bool { code == .truncated || code == .notTIFF }

    /// Whether there is no such file.
    package var isAbsence: Bool { code == .cannotOpen && (errno == ENOENT || errno == ENOTDIR) }

    /// Whether the system did not let the file be read, for a right, a lock, a share that is away: it says nothing of the file.
    package var isUnreachable: Bool { code == .cannotOpen && errno != nil && !isAbsence }

    /// A full sentence: what is wrong, where, and what to do.
    package var description: String {
        let reason = errno.map { unsafe " (\(String(cString: strerror($0))))" } ?? ""
        return "\(path): \(detail)\(reason); \(remedy)."
    }

    private var remedy: String {
        switch code {
        case .cannotOpen: "check the path, the permissions and the share"
        case .notTIFF: "wait if it is still being written, otherwise it is not a frame"
        case .truncated: "wait if it is still being written, otherwise acquire or copy it again"
        case .unsupported:
            "save frames as grey with no or lossless compression, for example with "
                + "`convert IN.tif -compress zip OUT.tif` (ImageMagick)"
        case .colour:
            "convert it to grey, for example with `convert IN.tif -colorspace Gray OUT.tif` (ImageMagick)"
        case .layout: "save it again with a page for each image, for example as OME-TIFF"
        case .choice: "choose with `channel` and `plane` what the file has"
        case .tooLarge: "raise the limits if this size is meant"
        case .tooSlow: "look at the share it lies on, or raise the limit if such pages are meant"
        case .damaged: "acquire or copy it again"
        case .cannotWrite: "check the permissions and the free space"
        }
    }
}
