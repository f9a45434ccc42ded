/// Elementary functions made of + - * / and sqrt in a fixed order, the same bits on every machine.
///
/// The C library's differ in the last place from one machine to the next.
package enum Arithmetic {
    /// Half the circumference of the unit circle, as a float.
    package static let pi: Float = 3.141_592_7

    /// e to the power of a number; below -87 and above 88 that of the limit.
    package static func exponential(_ value: Float) -> Float {
        let x = min(max(Double(value), -87), 88)
        let whole = (x * 1.442_695_040_888_963_4).rounded()
        let rest = x - whole * 0.693_147_180_559_945_3
        var sum = 1.0
        for order in stride(from: 11.0, through: 1, by: -1) { sum = 1 + sum * rest / order }
        return Float(sum * Double(bitPattern: UInt64(Int(whole) + 1023) << 52))
    }

    /// The natural logarithm of a positive number.
    package static func logarithm(_ value: Double) -> Double {
        precondition(value > 0 && value.isFinite, "\(value) has no logarithm")
        var (exponent, mantissa) = (Double(value.exponent), value.significand)
        if mantissa > 1.414_213_562_373_095 { (exponent, mantissa) = (exponent + 1, mantissa / 2) }
        let ratio = (mantissa - 1) / (mantissa + 1)
        let square = ratio * ratio
        var sum = 0.0
        for order in stride(from: 17.0, through: 1, by: -2) { sum = 1 / order + sum * square }
        return exponent * 0.693_147_180_559_945_3 + 2 * ratio * sum
    }

    /// Sine and cosine of an angle in radians.
    package static func sineCosine(_ angle: Float) -> (sine: Float, cosine: Float) {
        let x = Double(angle)
        let quarters = (x * 0.636_619_772_367_581_4).rounded()
        let rest = x - quarters * 1.570_796_326_794_896_6
        let square = rest * rest
        var (sine, cosine) = (1.0, 1.0)
        for order in stride(from: 12.0, through: 2, by: -2) {
            sine = 1 - sine * square / (order * (order + 1))
            cosine = 1 - cosine * square / (order * (order - 1))
        }
        sine *= rest
        switch Int(quarters) & 3 {
        case 0: return (Float(sine), Float(cosine))
        case 1: return (Float(cosine), Float(-sine))
        case 2: return (Float(-sine), Float(-cosine))
        default: return (Float(-cosine), Float(sine))
        }
    }

    /// From 0 at `lower` smoothly to 1 at `upper`; either may be the larger one.
    package static func smoothStep(_ value: Float, from lower: Float, to upper: Float) -> Float {
        let share = min(max((value - lower) / (upper - lower), 0), 1)
        return share * share * (3 - 2 * share)
    }
}

extension Array where Element: BitwiseCopyable {
    /// `count` elements in memory that nobody cleared; `fill` must write all of them.
    package init(filling count: Int, _ fill: (UnsafeMutablePointer<Element>) -> Void) {
        unsafe self.init(unsafeUninitializedCapacity: count) { buffer, initialised in
            guard let start = buffer.baseAddress, count > 0 else { return }
            unsafe fill(start)
            initialised = count
        }
    }
}

extension Float {
    /// The largest Float that is not above a Double: a Float exceeds the one exactly where it exceeds the
    /// other.
    package init(largestNotAbove limit: Double) {
        let nearest = Float(limit)
        self = Double(nearest) > limit ? nearest.nextDown : nearest
    }
}
