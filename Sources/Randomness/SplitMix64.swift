import Foundation

/// The SplitMix64 generator (Steele, Lea and Flood 2014): one word of state, so that a checkpoint can
/// continue it.
package struct SplitMix64: RandomNumberGenerator, Sendable, Equatable, Codable {
    /// All that the next numbers depend on; store it, and make a generator from it later to go on.
    package private(set) var state: UInt64

    /// Starts at a seed, or continues from the `state` of another generator.
    package init(state: UInt64) {
        self.state = state
    }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in [0, 1), one of 2^24 evenly spaced.
    package mutating func nextUniform() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    /// A number of mean 0 and standard deviation 1 (Box and Muller 1958), from two draws.
    package mutating func nextGaussian() -> Float {
        let radius = (-2 * log(1 - nextUnit())).squareRoot()
        return Float(radius * cos(2 * .pi * nextUnit()))
    }

    private mutating func nextUnit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }
}
