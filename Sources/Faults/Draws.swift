import Mathematics
package import Randomness

extension SplitMix64 {
    /// A generator for one purpose: other parts give another sequence.
    package init(seed: UInt64, _ parts: UInt64...) {
        var generator = SplitMix64(state: seed)
        for part in parts {
            generator = SplitMix64(state: generator.next() ^ (part &* 0xD6E8_FEB8_6659_FD93))
        }
        self.init(state: generator.next())
    }

    /// A number between two limits, evenly.
    package mutating func draw(_ range: ClosedRange<Float>) -> Float {
        range.lowerBound + (range.upperBound - range.lowerBound) * nextUniform()
    }

    /// An integer between two limits, evenly.
    package mutating func drawCount(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() >> 33) % range.count
    }

    /// `true` with a probability.
    package mutating func chance(_ probability: Float) -> Bool { nextUniform() < probability }

    /// -1 or 1.
    package mutating func drawSign() -> Float { next() >> 63 == 0 ? -1 : 1 }

    /// A unit vector in the plane.
    package mutating func drawDirection() -> (sine: Float, cosine: Float) {
        Arithmetic.sineCosine(draw(0...2 * Arithmetic.pi))
    }

    /// A number of mean 0 and standard deviation 1 (Box and Muller 1958), without the C library.
    package mutating func drawGaussian() -> Float {
        let distance = (-2 * Arithmetic.logarithm(Double((next() >> 11) + 1) * 0x1p-53)).squareRoot()
        return Float(distance) * Arithmetic.sineCosine(draw(0...2 * Arithmetic.pi)).cosine
    }
}
