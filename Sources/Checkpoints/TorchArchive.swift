import Tensors

/// The zip archive that `torch.save` writes since PyTorch 1.6.
///
/// Every entry lies in one folder, whose name is free:
///
/// | entry | what |
/// |---|---|
/// | `NAME/data.pkl` | the pickle (protocol 2 to 5); a tensor in it names its storage, offset, shape and strides |
/// | `NAME/data/KEY` | one storage, exactly as many bytes as its values need |
/// | `NAME/byteorder` | `little` or `big`; absent from old files, which are little |
///
/// Entries are stored without compression. Whatever else is there (`version`, `.data/...`) is not looked at.
struct TorchArchive {
    private let archive: ZipArchive
    private let path: String
    private let limits: CheckpointLimits
    private let entries: [String: ZipArchive.Entry]
    private let folder: String

    init(_ archive: ZipArchive, path: String, limits: CheckpointLimits) throws(CheckpointError) {
        self.archive = archive
        self.path = path
        self.limits = limits
        let all = try archive.entries()
        let pickles = all.filter { $0.name.hasSuffix("/data.pkl") && $0.name.utf8.count { $0 == 0x2F } == 1 }
        guard let pickle = pickles.first else {
            throw CheckpointError(
                .notACheckpoint,
                path,
                "is a zip archive without data.pkl, so not from torch.save"
            )
        }
        let folder = String(pickle.name.dropLast("data.pkl".utf8.count))
        guard !all.contains(where: { $0.name == folder + "constants.pkl" }) else {
            throw CheckpointError(.unsupported, path, "is a TorchScript program, not a state dict")
        }
        self.folder = folder
        let (known, twice) = Self.byName(all)
        entries = known
        guard twice == nil, pickles.count == 1 else {
            throw CheckpointError(
                .damaged,
                path,
                "the archive has \((twice ?? "data.pkl").printable) more than once"
            )
        }
    }

    private static func byName(_ all: [ZipArchive.Entry]) -> ([String: ZipArchive.Entry], twice: String?) {
        var entries: [String: ZipArchive.Entry] = [:]
        var twice: String?
        for entry in all where entries.updateValue(entry, forKey: entry.name) != nil { twice = entry.name }
        return (entries, twice)
    }

    /// Interprets the pickle and reads the tensors of its state dict.
    func stateDict() throws(CheckpointError) -> (
        tensors: [String: Tensor], ignored: [String], hyperParameters: HyperParameters
    ) {
        let pickle = try read("data.pkl", atMost: UInt64(limits.maximumPickleBytes))
        var machine = PickleMachine(pickle, path: path, limits: limits)
        let root = try machine.run()
        let dictionary = try StateDict(root: root, in: machine, path: path)
        try check(dictionary.tensors)
        return (
            try tensors(dictionary.tensors), dictionary.ignored, HyperParameters(root: root, in: machine)
        )
    }

    /// Refuses sizes before any storage is read.
    private func check(_ references: [String: TensorReference]) throws(CheckpointError) {
        var (values, bytes) = (0, 0)
        for reference in references.values {
            let (sum, overflow) = values.addingReportingOverflow(reference.count)
            values = overflow ? .max : sum
        }
        for storage in Set(references.values.map(\.storage)) { bytes += storage.count * storage.type.width }
        guard values <= limits.maximumValues, bytes <= limits.maximumStorageBytes else {
            throw CheckpointError(
                .tooLarge,
                path,
                "its tensors have \(values) values in \(bytes) bytes; \(limits.maximumValues) values are read"
            )
        }
    }

    private func tensors(_ references: [String: TensorReference]) throws(CheckpointError) -> [String: Tensor]
    {
        let isBigEndian = try isBigEndian()
        var tensors: [String: Tensor] = [:]
        for (storage, sharers) in Dictionary(grouping: references, by: \.value.storage) {
            let bytes = try read("data/\(storage.key)", exactly: UInt64(storage.count * storage.type.width))
            let values = unsafe storage.type.floats(in: bytes.span.bytes, isBigEndian: isBigEndian)
            for (name, reference) in sharers { tensors[name] = reference.tensor(from: values) }
        }
        return tensors
    }

    private func isBigEndian() throws(CheckpointError) -> Bool {
        guard entries[folder + "byteorder"] != nil else { return false }
        let order = String(decoding: try read("byteorder", atMost: 16), as: UTF8.self)
        guard order == "little" || order == "big" else {
            throw CheckpointError(.damaged, path, "its byteorder is '\(order.printable)'")
        }
        return order == "big"
    }

    private func read(
        _ name: String,
        atMost limit: UInt64? = nil,
        exactly size: UInt64? = nil
    ) throws(CheckpointError) -> [UInt8] {
        guard let entry = entries[folder + name] else {
            throw CheckpointError(.damaged, path, "the archive lacks \(name.printable)")
        }
        if let size, entry.size != size {
            throw CheckpointError(
                .damaged,
                path,
                "\(name.printable) has \(entry.size) bytes where its tensors need \(size)"
            )
        }
        if let limit, entry.size > limit {
            throw CheckpointError(.tooLarge, path, "\(name) has \(entry.size) bytes; \(limit) are read")
        }
        return try archive.read(entry)
    }
}

/// The part of a pickled checkpoint that holds the weights.
///
/// Taken are, in this order: the dictionary under `state_dict` (PyTorch Lightning); the tensors of the checkpoint itself (a
/// plain state dict); and the tensors of the dictionaries in it, named `KEY.NAME` (`{"model": ...}`, `{"G": ..., "D": ...}`).
/// Deeper entries, such as the state of an optimiser, are no weights.
struct StateDict {
    private(set) var tensors: [String: TensorReference] = [:]
    /// Names of entries of the state dict that are no tensors.
    private(set) var ignored: [String] = []

    init(root: PickleValue, in machine: PickleMachine, path: String) throws(CheckpointError) {
        guard let entries = machine.entries(root) else {
            throw CheckpointError(.notACheckpoint, path, "holds something else than a dictionary of tensors")
        }
        if let inner = entries.last(where: { $0.key == "state_dict" }),
            let inner = machine.entries(inner.value)
        {
            for (name, value) in inner { add(name, value, isWeight: true) }
        } else {
            for (name, value) in entries {
                add(name, value, isWeight: false)
                for (key, value) in machine.entries(value) ?? [] {
                    add("\(name).\(key)", value, isWeight: false)
                }
            }
        }
        guard !tensors.isEmpty else {
            let keys = entries.prefix(8).map(\.key.printable).joined(separator: ", ")
            throw CheckpointError(
                .notACheckpoint,
                path,
                "holds no tensors" + (keys.isEmpty ? "" : " under its keys \(keys)")
            )
        }
    }

    private mutating func add(_ name: String, _ value: PickleValue, isWeight: Bool) {
        if case .tensor(let reference) = value {
            tensors[name] = reference
        } else if isWeight {
            ignored.append(name)
        }
    }
}
