/// Why a benchmark, or a part of it, cannot be done.
public struct BenchmarkError: Error, Sendable, CustomStringConvertible {
    /// One sentence that says what is wrong, where, and what to do.
    public let description: String

    /// Wraps a sentence.
    public init(_ description: String) { self.description = description }
}
