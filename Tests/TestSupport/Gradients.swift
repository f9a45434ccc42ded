/// A small generator with a fixed sequence, so that a failing test fails again.
package struct TestGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// Starts a sequence.
    package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// The next 64 bits (xorshift).
    package mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// Values spread evenly over a range.
    package mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

/// The L2 norm of the difference of two arrays as a share of that of the second.
package func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
    guard found.count == expected.count else { return .infinity }
    var difference = 0.0
    var size = 0.0
    for (a, b) in zip(found, expected) {
        difference += Double(a - b) * Double(a - b)
        size += Double(b) * Double(b)
    }
    return size > 0 ? (difference / size).squareRoot() : difference.squareRoot()
}

/// The gradient of a scalar function by central differences, in the coordinates asked for.
package func finiteDifferences(
    at point: [Float],
    coordinates: [Int],
    step: Float = 1e-2,
    of function: ([Float]) -> Double
) -> [Float] {
    coordinates.map { index in
        var moved = point
        moved[index] = point[index] + step
        let above = function(moved)
        let reach = moved[index]
        moved[index] = point[index] - step
        let below = function(moved)
        return Float((above - below) / Double(reach - moved[index]))
    }
}
