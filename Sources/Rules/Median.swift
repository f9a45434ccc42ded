extension Array where Element: BinaryFloatingPoint {
    /// The middle value, or the mean of the two middle ones; of at least one.
    var median: Element {
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
