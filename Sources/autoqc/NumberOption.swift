import ArgumentParser

/// Numbers of the command line.
///
/// Each option says which numbers it takes. All others, NaN and infinity among them, are refused before anything begins, with exit
/// code 64: no sum of a later step has to expect them.
enum NumberOption {
    /// Reads a number in a range, as the `transform` of an option.
    static func within<Value: Comparable & LosslessStringConvertible & Sendable>(
        _ range: ClosedRange<Value>
    ) -> @Sendable (String) throws -> Value {
        { text in
            // False for NaN.
            guard let value = Value(text), range.contains(value) else {
                throw ValidationError(
                    "give \(words(Value.self)) from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
                )
            }
            return value
        }
    }

    /// Without the `.0` of a whole number.
    private static func plain(_ value: some LosslessStringConvertible) -> String {
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func words(_ type: Any.Type) -> String {
        type is any FixedWidthInteger.Type ? "a whole number" : "a number"
    }

    /// Shares of something of which neither nothing nor all is meant.
    static let rate = 1e-9...0.999
    /// How much of a window the next one covers.
    static let overlap = 0...0.99
    /// Indices of the schedule's steps.
    static let timestep = 0...999
    /// Sides of windows, patches and crops in pixels.
    static let side = 1...8192
    /// Numbers of frames.
    static let frames = 0...1_000_000
    /// Times in s, up to some thirty years.
    static let seconds = 0...1e9
    /// Threads of a computation.
    static let threads = 1...1024
    /// Training steps.
    static let steps = 1...100_000_000
    /// Crops in a step.
    static let batch = 1...1024
    /// Learning rates of Adam.
    static let learningRate: ClosedRange<Float> = 1e-12...10
    /// Rows or columns of lenses.
    static let lenses = 1...32
}
