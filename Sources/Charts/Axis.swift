import Foundation

/// One of the two axes of a chart: which values it covers, and how they are spread along it.
package struct Axis: Sendable {
    /// How values are spread.
    package enum Scale: Sendable {
        /// Evenly.
        case linear
        /// By their square root, for figures of at least 0 that reach far.
        case squareRoot
        /// By their logarithm, for figures above 0; others are not drawn.
        case logarithmic
    }

    /// What is measured, with its unit.
    package let title: String
    /// The values at both ends.
    package let range: ClosedRange<Double>
    /// How values are spread.
    package let scale: Scale
    /// The values that are written beside the axis.
    let ticks: [Double]

    /// An axis over a range; without ticks, nothing is written beside it.
    package init(
        _ range: ClosedRange<Double>,
        title: String = "",
        scale: Scale = .linear,
        ticks: [Double] = []
    ) {
        precondition(scale != .logarithmic || range.lowerBound > 0, "\(range) has no logarithms")
        (self.title, self.range, self.scale, self.ticks) = (title, range, scale, ticks)
    }

    /// A linear axis from 0, or a logarithmic one, to round numbers that no finite value lies beyond.
    package init(_ title: String, fitting values: [Double], scale: Scale = .linear) {
        if scale == .logarithmic {
            self.init(title, logarithmic: values.filter(Self.drawn.contains))
            return
        }
        let largest = values.filter(Self.drawn.contains).max() ?? 1
        let step = Self.step(covering: largest)
        let count = max(Int((largest / step - 1e-9).rounded(.up)), 1)
        let ticks = (0...count).map { Double($0) * step }
        self.init(0...ticks[count], title: title, scale: scale, ticks: ticks)
    }

    /// Powers of ten beyond these are 0 or infinite.
    private static let drawn = 1e-300...1e300

    private init(_ title: String, logarithmic values: [Double]) {
        let (least, most) = (values.min() ?? 1, values.max() ?? 10)
        let decades = (Int(log10(least).rounded(.down)), Int(log10(most).rounded(.up)))
        let round = (decades.0...max(decades.1, decades.0 + 1)).flatMap { decade in
            [1, 2, 5].map { $0 * pow(10, Double(decade)) }
        }
        let slack = 1 + 1e-9
        let first = round.lastIndex { $0 <= least * slack } ?? 0
        let last = max(
            round.firstIndex { $0 * slack >= most } ?? round.count - 1,
            min(first + 1, round.count - 1)
        )
        let shown = Array(round[first...last])
        // Over many decades only their powers of ten have room.
        let powers = shown.filter { log10($0).rounded(.down) == log10($0) }
        self.init(
            shown[0]...shown[shown.count - 1],
            title: title,
            scale: .logarithmic,
            ticks: decades.1 - decades.0 > 3 && powers.count > 1 ? powers : shown
        )
    }

    /// The least of 1, 2, 5 and their tenfolds that reaches a value in six steps at most.
    private static func step(covering value: Double) -> Double {
        let power = pow(10, (log10(value / 6)).rounded(.down))
        return ([1, 2, 5].first { $0 * power * 6 >= value } ?? 10) * power
    }

    /// Where a value lies from the lower to the upper end, 0 to 1; `nil` where it has no place.
    func share(of value: Double) -> Double? {
        guard value.isFinite, scale != .logarithmic || value > 0 else { return nil }
        let (low, high) = (spread(range.lowerBound), spread(range.upperBound))
        return high > low ? (spread(value) - low) / (high - low) : 0.5
    }

    private func spread(_ value: Double) -> Double {
        switch scale {
        case .linear: value
        case .squareRoot: max(value, 0).squareRoot()
        case .logarithmic: log(value)
        }
    }

    /// A tick's value in as few digits as tell it from the next.
    static func label(_ value: Double) -> String {
        if abs(value) < 1e15, value == value.rounded() { return "\(Int(value))" }
        let digits = max(2 - Int(log10(abs(value)).rounded(.down)), 2)
        guard digits < 8 else { return "\(value)" }
        let scale = pow(10, Double(digits))
        return "\((value * scale).rounded() / scale)"
    }
}
