/// Why a simulation cannot be done as asked.
public struct SimulationError: Error, Sendable, CustomStringConvertible {
    /// One sentence that says what is wrong and what to do.
    public let description: String

    /// Wraps a sentence.
    public init(_ description: String) { self.description = description }
}
