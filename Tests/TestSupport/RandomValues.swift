import Randomness

/// Uniform values in a range, the same each time.
package func randomValues(_ count: Int, seed: UInt64, in range: ClosedRange<Float> = 0...1) -> [Float] {
    var generator = SplitMix64(state: seed)
    return (0..<count).map { _ in
        range.lowerBound + generator.nextUniform() * (range.upperBound - range.lowerBound)
    }
}

/// The largest absolute difference between two lists.
package func largestDifference(
    _ left: some Sequence<some BinaryFloatingPoint>,
    _ right: some Sequence<some BinaryFloatingPoint>
) -> Double {
    zip(left, right).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
}

/// Sizes that no vector length divides, down to a single pixel.
package let oddSizes = [(1, 1), (1, 7), (3, 1), (2, 5), (5, 4), (7, 33), (37, 41)]
