private import CTIFF
internal import Glibc

/// An open regular file that is read at positions; closed when it goes.
final class TIFFFile {
    let path: String
    let descriptor: Int32
    let size: UInt64

    /// Opens without ever waiting: a named pipe in the watched folder must not hold the reader.
    init(path: String) throws(TIFFError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw TIFFError(.cannotOpen, path, "the file cannot be opened", errno: errno)
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw TIFFError(.cannotOpen, path, "this is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
        self.size = UInt64(max(0, status.st_size))
    }

    deinit { close(descriptor) }

    /// Whether `count` bytes from `offset` on lie within the file.
    func holds(_ count: UInt64, at offset: UInt64) -> Bool {
        count <= size && offset <= size - count
    }

    /// Reads `count` bytes; throws `truncated` naming `what` where the file does not hold them.
    func bytes(at offset: UInt64, count: Int, of what: String) throws(TIFFError) -> [UInt8] {
        guard holds(UInt64(count), at: offset) else {
            throw error(.truncated, "\(what) ends behind the end of the file of \(size) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try read(at: offset, into: &bytes, bytes: count, of: what)
        return bytes
    }

    /// Reads `count` bytes into the first elements of an array; throws `truncated` where the file does not hold them.
    func read<Element: BitwiseCopyable>(
        at offset: UInt64,
        into elements: inout [Element],
        bytes count: Int,
        of what: String
    ) throws(TIFFError) {
        precondition(count <= elements.count * MemoryLayout<Element>.stride, "no room for \(count) bytes")
        guard holds(UInt64(count), at: offset) else {
            throw error(.truncated, "\(what) ends behind the end of the file of \(size) bytes")
        }
        var filled = 0
        while filled < count {
            let got = unsafe elements.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: filled),
                    count - filled,
                    off_t(offset) + off_t(filled)
                )
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else {
                throw TIFFError(.cannotOpen, path, "\(what) cannot be read", errno: errno)
            }
            guard got > 0 else { throw error(.truncated, "\(what) was cut off while it was being read") }
            filled += got
        }
    }

    func error(_ code: TIFFError.Code, _ detail: String) -> TIFFError {
        TIFFError(code, path, detail)
    }
}

/// An open libtiff handle with its own message buffer; closed when it goes.
///
/// Safe because both pointers are private, live as long as the handle and are never handed out.
@safe final class TIFFHandle {
    private let path: String
    private let tiff: OpaquePointer
    private let message: UnsafeMutablePointer<aqc_tiff_message>

    /// Opens the file for reading its strips and tiles: no directory is read yet, nothing is mapped into
    /// memory (a file that is cut while it is mapped kills its reader) and strips stay as they are stored.
    convenience init(reading file: TIFFFile, limits: TIFFLimits) throws(TIFFError) {
        let copy = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            throw TIFFError(.cannotOpen, file.path, "no file descriptor is left", errno: errno)
        }
        try self.init(
            descriptor: copy,
            path: file.path,
            mode: "rhmc",
            largestAllocation: limits.maximumDecodedBytes,
            failure: .damaged
        )
    }

    /// Creates or empties the file for writing, little-endian, as BigTIFF where it may grow too large.
    convenience init(writing path: String, isBig: Bool) throws(TIFFError) {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw TIFFError(.cannotWrite, path, "the file cannot be created", errno: errno)
        }
        try self.init(
            descriptor: descriptor,
            path: path,
            mode: isBig ? "wl8" : "wl",
            largestAllocation: 1 << 31,
            failure: .cannotWrite
        )
    }

    private init(
        descriptor: Int32,
        path: String,
        mode: String,
        largestAllocation: Int,
        failure: TIFFError.Code
    ) throws(TIFFError) {
        let message = UnsafeMutablePointer<aqc_tiff_message>.allocate(capacity: 1)
        unsafe message.initialize(to: aqc_tiff_message())
        guard
            let tiff = unsafe aqc_tiff_open(descriptor, path, mode, Int64(largestAllocation), message)
        else {
            let text = unsafe Self.text(of: message)
            unsafe message.deallocate()
            close(descriptor)
            throw TIFFError(failure, path, "libtiff does not open it: \(text)")
        }
        self.path = path
        unsafe self.tiff = tiff
        unsafe self.message = message
    }

    deinit {
        unsafe TIFFClose(tiff)
        unsafe message.deallocate()
    }

    // MARK: Reading

    /// Lets libtiff read the directory of a page and checks that it understands the page as we do.
    func select(_ page: TIFFPage) throws(TIFFError) {
        guard unsafe TIFFSetSubDirectory(tiff, page.offset) == 1 else {
            throw failure(.damaged, "the directory of page \(page.number) cannot be read")
        }
        let size = page.chunkHeight * page.rowBytes
        let agrees =
            unsafe aqc_tiff_get_u32(tiff, UInt32(TIFFTAG_IMAGEWIDTH)) == UInt32(page.width)
            && aqc_tiff_get_u32(tiff, UInt32(TIFFTAG_IMAGELENGTH)) == UInt32(page.height)
            && aqc_tiff_get_u16(tiff, UInt32(TIFFTAG_BITSPERSAMPLE)) == UInt16(page.format.bits)
            && aqc_tiff_get_u16(tiff, UInt32(TIFFTAG_SAMPLESPERPIXEL)) == UInt16(page.samples)
            && aqc_tiff_get_u16(tiff, UInt32(TIFFTAG_COMPRESSION)) == page.compression.rawValue
            && (TIFFIsTiled(tiff) != 0) == page.areTiles
            && (page.areTiles ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff)) == UInt64(size)
        guard agrees else { throw failure(.damaged, "the tags of page \(page.number) contradict each other") }
        guard TIFFIsCODECConfigured(page.compression.rawValue) != 0 else {
            throw failure(
                .unsupported,
                "this libtiff was built without the compression of page \(page.number)"
            )
        }
    }

    /// Decodes the `size` bytes of one strip or tile into the first elements of `samples`.
    func decode<Sample: BitwiseCopyable>(
        chunk: Int,
        of page: TIFFPage,
        into samples: inout [Sample],
        bytes size: Int
    ) throws(TIFFError) {
        let room = samples.count * MemoryLayout<Sample>.stride
        precondition(size <= room, "\(room) bytes do not hold \(size)")
        let read = unsafe samples.withUnsafeMutableBytes { buffer in
            unsafe page.areTiles
                ? TIFFReadEncodedTile(tiff, UInt32(chunk), buffer.baseAddress, tmsize_t(size))
                : TIFFReadEncodedStrip(tiff, UInt32(chunk), buffer.baseAddress, tmsize_t(size))
        }
        guard read == size else {
            let name = page.areTiles ? "tile" : "strip"
            throw failure(.damaged, "\(name) \(chunk) of page \(page.number) does not decode")
        }
    }

    // MARK: Writing

    func set(_ tag: Int32, _ value: Int) throws(TIFFError) {
        let isLong = [TIFFTAG_IMAGEWIDTH, TIFFTAG_IMAGELENGTH, TIFFTAG_ROWSPERSTRIP].contains(tag)
        let isSet =
            unsafe isLong
            ? aqc_tiff_set_u32(tiff, UInt32(tag), UInt32(value))
            : aqc_tiff_set_u16(tiff, UInt32(tag), UInt16(value))
        guard isSet == 1 else { throw failure(.cannotWrite, "tag \(tag) is refused") }
    }

    func set(_ tag: Int32, _ value: Double) throws(TIFFError) {
        guard unsafe aqc_tiff_set_double(tiff, UInt32(tag), value) == 1 else {
            throw failure(.cannotWrite, "tag \(tag) is refused")
        }
    }

    func set(_ tag: Int32, _ value: String) throws(TIFFError) {
        guard unsafe aqc_tiff_set_text(tiff, UInt32(tag), value) == 1 else {
            throw failure(.cannotWrite, "tag \(tag) is refused")
        }
    }

    /// Encodes and writes one strip; libtiff may change `samples` while it does.
    func write<Sample: BitwiseCopyable>(strip: Int, _ samples: inout [Sample]) throws(TIFFError) {
        let size = samples.count * MemoryLayout<Sample>.stride
        errno = 0
        let written = unsafe samples.withUnsafeMutableBytes { buffer in
            unsafe TIFFWriteEncodedStrip(tiff, UInt32(strip), buffer.baseAddress, tmsize_t(size))
        }
        guard written == size else {
            throw failure(.cannotWrite, "strip \(strip) is not written", errno: errno)
        }
    }

    /// Writes the directory of the page and makes ready for the next page.
    func finishPage() throws(TIFFError) {
        errno = 0
        guard unsafe TIFFWriteDirectory(tiff) == 1 else {
            throw failure(.cannotWrite, "the directory is not written", errno: errno)
        }
    }

    private func failure(_ code: TIFFError.Code, _ what: String, errno: Int32? = nil) -> TIFFError {
        let text = unsafe Self.text(of: message)
        unsafe message.pointee = aqc_tiff_message()
        return TIFFError(
            code,
            path,
            text.isEmpty ? what : "\(what): \(text)",
            errno: errno == 0 ? nil : errno
        )
    }

    private static func text(of message: UnsafeMutablePointer<aqc_tiff_message>) -> String {
        let text = unsafe withUnsafeBytes(of: &message.pointee) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return String(text.prefix { !$0.isNewline }.drop { $0 == " " })
    }
}
