import Foundation

extension [Float] {
    /// Reads little-endian 32-bit floats; bytes that are left over are not looked at.
    package init(packed bytes: some RandomAccessCollection<UInt8>) {
        self = (0..<bytes.count / 4).map { index in
            let bits = (0..<4).reduce(UInt32(0)) { bits, place in
                bits | UInt32(bytes[bytes.index(bytes.startIndex, offsetBy: 4 * index + place)])
                    << UInt32(8 * place)
            }
            return Float(bitPattern: bits)
        }
    }

    /// Little-endian 32-bit floats.
    package var packed: [UInt8] {
        flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII letter or digit.
    package var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension FixedWidthInteger {
    /// The whole part of a number; the nearer end of the type where the number lies beyond it, and 0 for NaN.
    ///
    /// `Int(value)` ends the process on such numbers. Whatever was computed from a file, a ledger or an option is converted with this.
    package init(saturating value: Double) {
        if value.isNaN {
            self = 0
        } else {
            self = Self(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
        }
    }

    /// The same of a 32-bit number.
    package init(saturating value: Float) { self.init(saturating: Double(value)) }

    /// The sum; the nearer end of the type where that lies beyond it.
    package func saturatingAdd(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference; the nearer end of the type where that lies beyond it.
    package func saturatingSubtract(_ other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    /// The product; the nearer end of the type where that lies beyond it.
    package func saturatingMultiply(_ other: Self) -> Self {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}

extension BinaryInteger {
    /// A number from 0 on in at least so many digits, filled up with zeros.
    package func digits(_ count: Int, radix: Int = 10) -> String {
        let digits = String(self, radix: radix)
        return String(repeating: "0", count: Swift.max(0, count - digits.count)) + digits
    }
}

extension Double {
    /// The number with so many digits after the point, 0 to 6; one that is not finite, or has more than 12 digits before the
    /// point, as Swift writes it.
    package func fixed(_ digits: Int) -> String {
        guard isFinite, abs(self) < 1e12, (0...6).contains(digits) else { return description }
        let factor = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000][digits]
        let whole = Int((abs(self) * Double(factor)).rounded())
        let sign = self < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(whole) }
        return "\(sign)\(whole / factor).\((whole % factor).digits(digits))"
    }
}

extension Double {
    /// The number of four significant digits that is nearest; 0 for next to nothing, unchanged above 10^12.
    package var roundedToFourDigits: Double {
        guard abs(self) > 1e-12, abs(self) < 1e12 else { return abs(self) < 1 ? 0 : self }
        let digits = 3 - log10(abs(self)).rounded(.down)
        // Powers of ten above 1 are exact, so the quotient is the number nearest to the decimal.
        let power = pow(10, abs(digits))
        return digits < 0 ? (self / power).rounded() * power : (self * power).rounded() / power
    }
}

extension StringProtocol {
    /// Sixteen hexadecimal digits of FNV-1a over the UTF-8 bytes: the same on every machine and in every start.
    package var stableHash: String {
        let value = utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return value.digits(16, radix: 16)
    }
}
