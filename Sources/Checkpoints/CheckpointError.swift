/// Why a checkpoint of another system was not read: what is wrong, where, and what to do about it.
///
/// | code | what to do |
/// |---|---|
/// | `cannotRead` | check the path and its permissions |
/// | `notACheckpoint` | give a file that `torch.save` wrote, or safetensors |
/// | `refused` | re-save the weights alone with PyTorch, if the file's origin is trusted |
/// | `unsupported` | re-save the weights alone with a current PyTorch |
/// | `tooLarge` | re-save the weights alone, without what surrounds them |
/// | `damaged` | copy the file again |
/// | `ambiguous` | name with `--skip` which of the two to leave out |
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

    /// Describes a failure; `detail` is a clause.
    package init(code: Code, path: String, detail: String) {
        self.code = code
        self.path = path
        self.detail = detail
    }

    /// A full sentence: what is wrong, where, and what to do.
    package var description: String { "\(path): \(detail); \(remedy)." }

    private static let resave =
        "python3 -c \"import torch; c = torch.load('FILE', map_location='cpu', weights_only=False); "
        + "torch.save(dict(c.get('state_dict', c)), 'weights.pt')\""

    private var remedy: String {
        switch code {
        case .cannotRead: "check the path and its permissions"
        case .notACheckpoint: "give a .ckpt or .pt file that torch.save wrote, or a .safetensors file"
        case .refused:
            "nothing of it was run; if you trust where the file comes from, re-save its weights alone: "
                + Self.resave
        case .unsupported: "re-save its weights alone with PyTorch 1.6 or later: \(Self.resave)"
        case .tooLarge: "if this size is meant, re-save the weights alone: \(Self.resave)"
        case .damaged: "copy it again"
        case .ambiguous: "leave one of them out with --skip"
        case .notFinite: "its training diverged, take an earlier checkpoint"
        }
    }
}
