/// A generator for networks whose weights will be loaded: all of them start at zero, and no time goes into drawing them.
public struct ZeroGenerator: RandomNumberGenerator, Sendable {
    /// Makes the generator.
    public init() {}

    /// Zero.
    public mutating func next() -> UInt64 { 0 }
}
