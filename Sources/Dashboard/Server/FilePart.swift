import Files
import Foundation
import Hummingbird

/// A file that is handed over piece by piece, so that no visitor costs as much memory as the file has bytes.
final class FilePart: Sendable {
    private static let piece = 256 << 10

    private let file: Durable.Handle
    private let size: Int

    /// Opens a regular file; `nil` for anything else.
    init?(_ path: String) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        // A pipe that took its place meanwhile must not keep the thread.
        guard attributes?[.type] as? FileAttributeType == .typeRegular,
            let file = try? Durable.Handle(path, flags: O_RDONLY | O_NONBLOCK), let size = try? file.size()
        else { return nil }
        self.file = file
        self.size = size
    }

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
        let bytes = try file.read(at: offset, count: min(Self.piece, size - offset))
        guard !bytes.isEmpty else { throw Shorter() }
        return bytes
    }
}
