/// Why a benchmark, or a part of it, cannot be done.
package struct BenchmarkError: Error, Sendable, CustomStringConvertible {
    /// One sentence that says what is wrong, where, and what to do.
    package let description: String

    /// Wraps a sentence.
    package init(_ description: String) { self.description = description }
}
