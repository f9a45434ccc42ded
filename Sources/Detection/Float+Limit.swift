extension Float {
    /// The largest Float that is not above a Double: a Float exceeds the one exactly where it exceeds the
    /// other.
    init(largestNotAbove limit: Double) {
        let nearest = Float(limit)
        self = Double(nearest) > limit ? nearest.nextDown : nearest
    }
}
