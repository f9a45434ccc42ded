/// The part of a pickled checkpoint that holds the weights.
///
/// Taken are, in this order: the dictionary under `state_dict` (PyTorch Lightning); the tensors of the checkpoint itself (a
/// plain state dict); and the tensors of the dictionaries in it, named `KEY.NAME` (`{"model": ...}`, `{"G": ..., "D": ...}`).
/// What lies deeper, as the state of an optimiser does, is no weight.
struct StateDict {
    /// Tensors by name.
    private(set) var tensors: [String: TensorReference] = [:]
    /// Names of entries of the state dict that are no tensors.
    private(set) var ignored: [String] = []

    init(root: PickleValue, in machine: PickleMachine, path: String) throws(CheckpointError) {
        guard let entries = machine.entries(root) else {
            throw CheckpointError(
                code: .notACheckpoint,
                path: path,
                detail: "holds something else than a dictionary of tensors"
            )
        }
        if let inner = entries.last(where: { $0.key == "state_dict" }),
            let inner = machine.entries(inner.value)
        {
            for (name, value) in inner { take(name, value, isWeight: true) }
        } else {
            for (name, value) in entries {
                take(name, value, isWeight: false)
                for (key, value) in machine.entries(value) ?? [] {
                    take("\(name).\(key)", value, isWeight: false)
                }
            }
        }
        guard !tensors.isEmpty else {
            let keys = entries.prefix(8).map(\.key.printable).joined(separator: ", ")
            throw CheckpointError(
                code: .notACheckpoint,
                path: path,
                detail: "holds no tensors" + (keys.isEmpty ? "" : " under its keys \(keys)")
            )
        }
    }

    private mutating func take(_ name: String, _ value: PickleValue, isWeight: Bool) {
        if case .tensor(let reference) = value {
            tensors[name] = reference
        } else if isWeight {
            ignored.append(name)
        }
    }
}
