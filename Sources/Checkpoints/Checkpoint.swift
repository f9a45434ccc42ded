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
    /// What its trainer wrote about its configuration; empty where it wrote nothing.
    package let hyperParameters: HyperParameters

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
            (tensors, ignored, hyperParameters) = try torch.stateDict()
            return
        }
        guard head.count > 8, head[8] == UInt8(ascii: "{") else { throw Self.foreign(head, path: path) }
        do { tensors = try safeTensors().tensors } catch {
            throw CheckpointError(.damaged, path, error.detail)
        }
        (ignored, hyperParameters) = ([], HyperParameters())
    }

    private init(tensors: [String: Tensor], ignored: [String], hyperParameters: HyperParameters) {
        (self.tensors, self.ignored, self.hyperParameters) = (tensors, ignored, hyperParameters)
    }

    /// The same under longer names: each behind `prefix` and a dot.
    func inside(_ prefix: String) -> Checkpoint {
        Checkpoint(
            tensors: Dictionary(uniqueKeysWithValues: tensors.map { ("\(prefix).\($0.key)", $0.value) }),
            ignored: ignored.map { "\(prefix).\($0)" },
            hyperParameters: hyperParameters
        )
    }

    private static func head(path: String) throws(CheckpointError) -> [UInt8] {
        do {
            let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            guard type != .typeDirectory else {
                throw CheckpointError(.notACheckpoint, path, "is a folder")
            }
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            return Array(try file.read(upToCount: 16) ?? Data())
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(.cannotRead, path, "cannot be read")
        }
    }

    /// Says what a file is that is neither of the two formats.
    private static func foreign(_ head: [UInt8], path: String) -> CheckpointError {
        if head.isEmpty { return CheckpointError(.damaged, path, "is empty") }
        if head.starts(with: oldMagic) {
            return CheckpointError(.unsupported, path, "is in PyTorch's format before 1.6, which is not read")
        }
        if head.starts(with: [0x80]) {
            return CheckpointError(.unsupported, path, "is a bare pickle, not an archive of torch.save")
        }
        return CheckpointError(.notACheckpoint, path, "is neither a PyTorch checkpoint nor safetensors")
    }
}

/// Why a checkpoint of another system was not read: what is wrong, where, and what to do about it.
///
/// | code | what to do |
/// |---|---|
/// | `cannotRead` | check the path and its permissions |
/// | `notACheckpoint` | give a file that `torch.save` wrote, or safetensors |
/// | `refused` | ask who made the file for the weights alone; do not load it in Python |
/// | `unsupported` | save the weights alone with a current PyTorch, which loads weights only |
/// | `tooLarge` | save the weights alone in the same way |
/// | `damaged` | copy the file again |
/// | `ambiguous` | leave one of the two out; `--skip` does that for tensors |
/// | `notFinite` | take an earlier checkpoint: its training diverged |
package struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure, each with its own remedy.
    package enum Code: Sendable, Equatable, CaseIterable {
        /// The operating system did not open or read the file.
        case cannotRead
        /// A file of another kind, or one without tensors.
        case notACheckpoint
        /// The pickle asks for something that a state dict does not need; nothing of it was run.
        case refused
        /// A valid file of a kind that is not read.
        case unsupported
        /// Larger than the limits allow.
        case tooLarge
        /// The file contradicts itself or ends too early.
        case damaged
        /// Two tensors stand for one weight.
        case ambiguous
        /// A weight is not a number or infinite.
        case notFinite
    }

    /// The kind of failure.
    package let code: Code
    /// The file, as it was named by the caller.
    package let path: String
    /// What is wrong and where, as a clause without a full stop.
    package let detail: String

    init(_ code: Code, _ path: String, _ detail: String) {
        (self.code, self.path, self.detail) = (code, path, detail)
    }

    /// A full sentence: what is wrong, where, and what to do.
    package var description: String { "\(path): \(detail); \(remedy)." }

    /// Loads weights only, so that PyTorch runs nothing that the file asks for.
    private static let resave =
        "python3 -c \"import torch; c = torch.load('FILE', map_location='cpu', weights_only=True); "
        + "torch.save(dict(c.get('state_dict', c)), 'weights.pt')\""

    private var remedy: String {
        switch code {
        case .cannotRead: "check the path and its permissions"
        case .notACheckpoint: "give a .ckpt or .pt file that torch.save wrote, or a .safetensors file"
        case .refused:
            "nothing of it was run; do not load this file in Python, but ask who made it for the weights alone, as safetensors "
                + "or by torch.save of the state dict"
        case .unsupported: "save its weights alone with a current PyTorch: \(Self.resave)"
        case .tooLarge: "if this size is meant, save the weights alone: \(Self.resave)"
        case .damaged: "copy it again"
        case .ambiguous: "leave one of them out (--skip leaves tensors out by name)"
        case .notFinite: "its training diverged, take an earlier checkpoint"
        }
    }
}

/// Limits on the size that a checkpoint may claim; checked before any memory is allocated.
///
/// The largest published network (f-AnoGAN) has about 10^8 values and a pickle of some 10 kB.
package struct CheckpointLimits: Sendable, Equatable {
    /// Longest pickle, in bytes.
    package var maximumPickleBytes = 32 << 20
    /// Most values that wait on the pickle's stack.
    package var maximumStack = 1 << 18
    /// Most tuples, lists and dictionaries in the pickle.
    package var maximumObjects = 1 << 20
    /// Most values that the pickle remembers.
    package var maximumMemo = 1 << 20
    /// Most axes of a tensor.
    package var maximumAxes = 8
    /// Most values in all tensors together.
    package var maximumValues = 1 << 29
    /// Most bytes in all storages together.
    package var maximumStorageBytes = 1 << 32

    /// The limits of every command.
    package static let `default` = CheckpointLimits()

    /// The default limits, to be narrowed.
    package init() {}
}

extension StringProtocol {
    /// This text as a message may show it: without control characters, which could steer a terminal, and not too long.
    package var printable: String {
        let shown = unicodeScalars.prefix(200).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: "?"
            default: String(scalar)
            }
        }
        return shown.joined() + (unicodeScalars.count > 200 ? "..." : "")
    }
}
