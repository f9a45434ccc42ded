/// Why a simulation cannot be done as asked.
package struct SimulationError: Error, Sendable, CustomStringConvertible {
    /// One sentence that says what is wrong and what to do.
    package let description: String

    /// Wraps a sentence.
    package init(_ description: String) { self.description = description }
}
