/// What the bytes of an image mean: value = step * (byte - zero).
///
/// Jacob et al. 2018, equation 1. Zero is a byte of its own, so that what lies beyond the border is held exactly.
package struct ByteScale: Sendable, Equatable {
    /// The difference of two neighbouring bytes, above 0.
    package let step: Float
    /// The byte that means 0.
    package let zero: Int32

    private static let largest: Float = 255
    /// For an image that is all but zero.
    private static let smallestStep: Float = 1e-8

    /// The finest scale that holds a range and 0; what lies outside saturates.
    package init(holding range: ClosedRange<Float>) {
        let (low, high) = (min(range.lowerBound, 0), max(range.upperBound, 0))
        step = max((high - low) / Self.largest, Self.smallestStep)
        zero = Int32(min((-low / step).rounded(), Self.largest))
    }
}

extension [ClosedRange<Float>] {
    /// Widens each range so that it holds that of another image, too; ranges of no image become those of the other.
    package mutating func unite(with other: Self) {
        guard !isEmpty else { return self = other }
        self = zip(self, other).map {
            Swift.min($0.lowerBound, $1.lowerBound)...Swift.max($0.upperBound, $1.upperBound)
        }
    }
}
