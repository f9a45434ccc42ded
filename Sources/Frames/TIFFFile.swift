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
            throw TIFFError(code: .cannotOpen, path: path, detail: "the file cannot be opened", errno: errno)
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw TIFFError(code: .cannotOpen, path: path, detail: "this is not a regular file")
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
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor,
                    buffer.baseAddress?.advanced(by: filled),
                    count - filled,
                    off_t(offset) + off_t(filled)
                )
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else {
                throw TIFFError(
                    code: .cannotOpen,
                    path: path,
                    detail: "\(what) cannot be read",
                    errno: errno
                )
            }
            guard got > 0 else { throw error(.truncated, "\(what) was cut off while it was being read") }
            filled += got
        }
        return bytes
    }

    func error(_ code: TIFFError.Code, _ detail: String) -> TIFFError {
        TIFFError(code: code, path: path, detail: detail)
    }
}
