import Synchronization

/// A dense float32 array with value semantics: images are N x H x W x C, matrices rows x columns, scalars have no axis.
package struct Tensor: Sendable {
    /// Length of each axis, outermost first; the last one is contiguous in memory.
    package let shape: [Int]
    var storage: TensorStorage

    /// Number of values.
    package var count: Int { storage.count }

    /// A tensor whose values are not yet defined; every kernel writes all of them.
    init(uninitialized shape: [Int]) {
        self.shape = shape
        self.storage = TensorStorage(count: shape.reduce(1, *))
    }

    /// Copies values in row-major order; a count other than the shape's product is a programmer's mistake.
    package init(_ values: [Float], shape: [Int]) {
        precondition(
            values.count == shape.reduce(1, *),
            "\(values.count) values do not fill a tensor of shape \(shape)"
        )
        self.init(uninitialized: shape)
        unsafe values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress, !source.isEmpty {
                unsafe storage.pointer.update(from: base, count: source.count)
            }
        }
    }

    /// A tensor that holds one value throughout.
    package init(repeating value: Float, shape: [Int]) {
        self.init(uninitialized: shape)
        unsafe storage.pointer.update(repeating: value, count: count)
    }

    /// The values in row-major order, copied.
    package var values: [Float] {
        unsafe [Float](UnsafeBufferPointer(start: storage.pointer, count: count))
    }

    /// The single value of a tensor that has one.
    package var scalar: Float {
        precondition(count == 1, "a tensor of shape \(shape) is not a scalar")
        return unsafe storage.pointer.pointee
    }

    /// From the smallest value to the largest; what is not a number does not count, and without any number it is 0...0.
    package var range: ClosedRange<Float> {
        withSpan { span in
            var (low, high) = (Float.infinity, -Float.infinity)
            for index in span.indices where !span[index].isNaN {
                (low, high) = (min(low, span[index]), max(high, span[index]))
            }
            return low <= high ? low...high : 0...0
        }
    }

    /// Lends the values in row-major order without copying.
    package func withSpan<Result>(_ body: (Span<Float>) throws -> Result) rethrows -> Result {
        let buffer = unsafe UnsafeBufferPointer(start: storage.pointer, count: count)
        return try unsafe body(buffer.span)
    }

    /// Lends the values for writing; copies first if another tensor shares them.
    package mutating func withMutableSpan<Result>(
        _ body: (inout MutableSpan<Float>) throws -> Result
    ) rethrows -> Result {
        makeUnique()
        let buffer = unsafe UnsafeMutableBufferPointer(start: storage.pointer, count: count)
        var span = unsafe buffer.mutableSpan
        return try body(&span)
    }

    /// The same values under another shape of the same count; nothing is copied.
    package func reshaped(_ shape: [Int]) -> Tensor {
        Tensor(shape: shape, storage: storage)
    }

    private init(shape: [Int], storage: TensorStorage) {
        precondition(
            shape.reduce(1, *) == storage.count,
            "\(storage.count) values cannot take shape \(shape)"
        )
        self.shape = shape
        self.storage = storage
    }

    mutating func makeUnique() {
        guard !isKnownUniquelyReferenced(&storage) else {
            storage.forgetLayouts()
            return
        }
        let copy = TensorStorage(count: count)
        unsafe copy.pointer.update(from: storage.pointer, count: count)
        storage = copy
    }
}

/// The memory behind tensors, and copies of it in the layouts that primitives asked for.
///
/// `@unchecked`: written only while uniquely referenced (`Tensor.makeUnique`) or by the kernel that just made it.
@safe final class TensorStorage: @unchecked Sendable {
    let count: Int
    let pointer: UnsafeMutablePointer<Float>
    /// Weights reordered for a primitive, kept as long as the weights themselves.
    private let layouts = Mutex<[Layout: TensorStorage]>([:])

    /// What a copy was made for; a plan itself, so that its identity is not given to another.
    enum Layout: Hashable {
        case plan(ConvolutionPlan)
        case direct(shape: [Int])
    }

    init(count: Int) {
        self.count = count
        let bytes = unsafe BufferPool.shared
            .take(bytes: count * MemoryLayout<Float>.stride)
        unsafe self.pointer = unsafe bytes.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    deinit {
        unsafe BufferPool.shared.give(
            UnsafeMutableRawPointer(pointer),
            bytes: count * MemoryLayout<Float>.stride
        )
    }

    /// The copy of these values in another layout, made on first use.
    func inLayout(_ layout: Layout, make: () -> TensorStorage) -> TensorStorage {
        if let known = layouts.withLock({ $0[layout] }) { return known }
        let made = make()
        layouts.withLock { $0[layout] = made }
        return made
    }

    func forgetLayouts() {
        layouts.withLock { $0.removeAll() }
    }
}
