import Foundation
import Hummingbird

/// A file that is handed over piece by piece, so that no visitor costs as much memory as the file has bytes.
final class FilePart: Sendable {
    private static let piece = 256 << 10

    private let descriptor: Int32
    private let size: Int

    /// Opens a regular file; `nil` for anything else.
    init?(_ path: String) {
        // A pipe must not keep the thread.
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        var status = stat()
        guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG
        else {
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// An answer with the file's bytes, which a worker reads as they are taken.
    func response(type: String, reading worker: Worker) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: type],
            body: ResponseBody(contentLength: size) { writer in
                var offset = 0
                while offset < self.size {
                    let start = offset
                    let bytes = try await worker.run { try self.read(at: start) }
                    offset += bytes.count
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await writer.finish(nil)
            }
        )
    }

    /// The file became shorter than it was: the answer breaks off, as its length was told.
    private struct Shorter: Error {}

    private func read(at offset: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: min(Self.piece, size - offset))
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
        }
        guard count > 0 else { throw Shorter() }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
