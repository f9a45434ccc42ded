extension Array where Element: BitwiseCopyable {
    /// `count` elements in memory that nobody cleared; `fill` must write all of them.
    init(filling count: Int, _ fill: (UnsafeMutablePointer<Element>) -> Void) {
        unsafe self.init(unsafeUninitializedCapacity: count) { buffer, initialised in
            guard let start = buffer.baseAddress, count > 0 else { return }
            unsafe fill(start)
            initialised = count
        }
    }
}
