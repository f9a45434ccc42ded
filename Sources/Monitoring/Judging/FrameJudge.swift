public import Plate

/// Whatever judges frames: the detector in the daemon, a double in tests.
public protocol FrameJudge: Sendable {
    /// The model's name in every record, the first digits of its file's SHA-256.
    var model: String { get }

    /// Judges frames of one size, one judgement for each, in order; called from one thread at a time.
    func judge(_ frames: [Frame]) throws -> [Judgement]

    /// What to know about judgements of frames like this one; `nil` where they can be taken as they are.
    func warning(for frame: Frame) -> String?
}

extension FrameJudge {
    /// Nothing to warn of.
    public func warning(for frame: Frame) -> String? { nil }
}
