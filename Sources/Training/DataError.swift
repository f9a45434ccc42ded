/// Why frames for training or calibration could not be used.
public struct DataError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, where, and what to do.
    public let description: String

    /// Wraps a sentence.
    public init(_ description: String) { self.description = description }
}
