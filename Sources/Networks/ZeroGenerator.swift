/// A generator for networks whose weights will be loaded: all of them start at zero, and no time goes into drawing them.
package struct ZeroGenerator: RandomNumberGenerator, Sendable {
    /// Makes the generator.
    package init() {}

    /// Zero.
    package mutating func next() -> UInt64 { 0 }
}
