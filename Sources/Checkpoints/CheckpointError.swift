/// Why a checkpoint of another system cannot be taken.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// What is wrong with it, and what to do.
    public let detail: String

    /// One sentence that names the file.
    public var description: String { "\(path): \(detail)" }
}
