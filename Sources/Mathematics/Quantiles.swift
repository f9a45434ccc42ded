extension Array where Element: BinaryFloatingPoint {
    /// The middle value, or the mean of the two middle ones; of at least one value.
    package var median: Element {
        precondition(!isEmpty, "no values have no median")
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }

    /// The middle value, the upper of two: always one of the values, as grey values of pixels should be.
    package var upperMedian: Element {
        precondition(!isEmpty, "no values have no median")
        return sorted()[count / 2]
    }

    /// The values that these shares, 0 to 1, of all values lie below; of at least one value.
    ///
    /// Linear between the two nearest ranks (Hyndman and Fan 1996, definition 7).
    package func quantiles(_ shares: [Double]) -> [Element] {
        precondition(!isEmpty, "no values have no quantiles")
        let sorted = sorted()
        return shares.map { share in
            precondition((0...1).contains(share), "\(share) is no share of the values")
            let position = Element(share) * Element(sorted.count - 1)
            let index = Int(position)
            let next = Swift.min(index + 1, sorted.count - 1)
            return sorted[index] + (position - Element(index)) * (sorted[next] - sorted[index])
        }
    }
}
