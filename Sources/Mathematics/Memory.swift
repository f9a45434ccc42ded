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
