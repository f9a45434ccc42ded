import Foundation
package import Tensors

/// The weights in a file of another system, by the names and in the layouts that the file has.
///
/// Two formats are read, told apart by their first bytes:
/// - **PyTorch**, `torch.save` since version 1.6 (a zip archive, described at `TorchArchive`), with a plain state dict or a
///   PyTorch Lightning checkpoint in it. The pickle is interpreted by this module, which runs nothing and refuses by name
///   whatever a state dict does not need. Tensors may be strided, shared, and of any real type, in either byte order.
/// - **safetensors**, described at `SafeTensors`.
///
/// All numbers become float32. A file that is cut, altered (the archive has checksums), or larger than the limits is
/// refused with a sentence.
package struct Checkpoint: Sendable {
    /// The tensors by name.
    package let tensors: [String: Tensor]
    /// Names in the state dict that are no tensors and were left out.
    package let ignored: [String]

    /// The first bytes of a zip archive with at least one entry.
    private static let zipMagic: [UInt8] = [0x50, 0x4B, 0x03, 0x04]
    /// PROTO 2 and the number that every file of `torch.save` began with before the zip format.
    private static let oldMagic: [UInt8] = [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20]

    /// Reads a file.
    package init(path: String, limits: CheckpointLimits = .default) throws(CheckpointError) {
        let head = try Self.head(path: path)
        try self.init(
            head: head,
            path: path,
            limits: limits,
            archive: { () throws(CheckpointError) in try ZipArchive(path: path) },
            safeTensors: { () throws(SafeTensorsError) in try SafeTensors(path: path) }
        )
    }

    /// Reads a file's bytes; `path` is for messages.
    package init(
        bytes: [UInt8],
        path: String,
        limits: CheckpointLimits = .default
    ) throws(CheckpointError) {
        try self.init(
            head: Array(bytes.prefix(16)),
            path: path,
            limits: limits,
            archive: { () throws(CheckpointError) in try ZipArchive(bytes: bytes, path: path) },
            safeTensors: { () throws(SafeTensorsError) in try SafeTensors(data: Data(bytes), path: path) }
        )
    }

    private init(
        head: [UInt8],
        path: String,
        limits: CheckpointLimits,
        archive: () throws(CheckpointError) -> ZipArchive,
        safeTensors: () throws(SafeTensorsError) -> SafeTensors
    ) throws(CheckpointError) {
        if head.starts(with: Self.zipMagic) {
            let torch = try TorchArchive(try archive(), path: path, limits: limits)
            (tensors, ignored) = try torch.stateDict()
            return
        }
        guard head.count > 8, head[8] == UInt8(ascii: "{") else { throw Self.foreign(head, path: path) }
        do { tensors = try safeTensors().tensors } catch {
            throw CheckpointError(code: .damaged, path: path, detail: error.detail)
        }
        ignored = []
    }

    private static func head(path: String) throws(CheckpointError) -> [UInt8] {
        do {
            let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            guard type != .typeDirectory else {
                throw CheckpointError(code: .notACheckpoint, path: path, detail: "is a folder")
            }
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            return Array(try file.read(upToCount: 16) ?? Data())
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(code: .cannotRead, path: path, detail: "cannot be read")
        }
    }

    /// Says what a file is that is neither of the two formats.
    private static func foreign(_ head: [UInt8], path: String) -> CheckpointError {
        if head.isEmpty { return CheckpointError(code: .damaged, path: path, detail: "is empty") }
        if head.starts(with: oldMagic) {
            return CheckpointError(
                code: .unsupported,
                path: path,
                detail: "is in PyTorch's format before 1.6, which is not read"
            )
        }
        if head.starts(with: [0x80]) {
            return CheckpointError(
                code: .unsupported,
                path: path,
                detail: "is a bare pickle, not an archive of torch.save"
            )
        }
        return CheckpointError(
            code: .notACheckpoint,
            path: path,
            detail: "is neither a PyTorch checkpoint nor safetensors"
        )
    }
}
