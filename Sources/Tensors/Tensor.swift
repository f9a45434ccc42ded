import COpenBLAS
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

    /// Axes reordered: axis `i` of the result is axis `axes[i]` of this tensor.
    package func permuted(_ axes: [Int]) -> Tensor {
        precondition(axes.sorted() == Array(shape.indices), "\(axes) do not reorder the axes of \(shape)")
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        }
        let lengths = axes.map { shape[$0] }
        let steps = axes.map { strides[$0] }
        var result: [Float] = []
        result.reserveCapacity(count)
        var position = [Int](repeating: 0, count: lengths.count)
        var offset = 0
        withSpan { span in
            for _ in 0..<span.count {
                result.append(span[offset])
                for axis in lengths.indices.reversed() {
                    position[axis] += 1
                    offset += steps[axis]
                    guard position[axis] == lengths[axis] else { break }
                    offset -= steps[axis] * lengths[axis]
                    position[axis] = 0
                }
            }
        }
        return Tensor(result, shape: lengths)
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
        case winograd(shape: [Int])
    }

    init(count: Int) {
        self.count = count
        let bytes = unsafe BufferPool.shared
            .buffer(bytes: count * MemoryLayout<Float>.stride)
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

/// A matrix in memory: the distance between its rows, and whether it is to be read transposed.
@safe struct MatrixView {
    let pointer: UnsafeMutablePointer<Float>
    let stride: Int
    let isTransposed: Bool

    init(_ pointer: UnsafeMutablePointer<Float>, _ stride: Int, isTransposed: Bool = false) {
        unsafe self.pointer = pointer
        (self.stride, self.isTransposed) = (stride, isTransposed)
    }

    var transposed: MatrixView { unsafe MatrixView(pointer, stride, isTransposed: !isTransposed) }

    /// OpenBLAS's own threads spin beside oneDNN's after each product and take the cores from the convolution that
    /// follows; products are a few hundredths of any network here, so one thread makes them.
    private static let usesOneThread: Void = openblas_set_num_threads(1)

    /// A product of `lengths.rows` x `lengths.inner` with `lengths.inner` x `lengths.columns`, in place of what is in
    /// the result or added to it.
    static func multiply(
        _ left: MatrixView,
        _ right: MatrixView,
        into result: MatrixView,
        _ lengths: (rows: Int, columns: Int, inner: Int),
        adding: Bool = false
    ) {
        _ = usesOneThread
        unsafe cblas_sgemm(
            CblasRowMajor,
            left.isTransposed ? CblasTrans : CblasNoTrans,
            right.isTransposed ? CblasTrans : CblasNoTrans,
            Int32(lengths.rows),
            Int32(lengths.columns),
            Int32(lengths.inner),
            1,
            left.pointer,
            Int32(left.stride),
            right.pointer,
            Int32(right.stride),
            adding ? 1 : 0,
            result.pointer,
            Int32(result.stride)
        )
    }
}

/// Keeps freed buffers for the next tensor of the same size, so that a training step or a frame allocates nothing once
/// the first one has run.
///
/// Buffers of other sizes go back to the system when a new one would take more memory than was ever in use at once.
struct BufferPool: ~Copyable {
    static let shared = BufferPool()
    /// oneDNN's widest loads are 64 bytes.
    static let alignment = 64
    /// Memory that may be kept in any case.
    private static let least = 2 << 30

    @safe private struct State {
        var free: [Int: [UnsafeMutableRawPointer]] = unsafe [:]
        var freeBytes = 0
        var usedBytes = 0
        var mostUsedBytes = BufferPool.least

        mutating func take(_ size: Int) -> UnsafeMutableRawPointer? {
            usedBytes += size
            mostUsedBytes = max(mostUsedBytes, usedBytes)
            if let pointer = unsafe free[size]?.popLast() {
                freeBytes -= size
                return unsafe pointer
            }
            while usedBytes + freeBytes > mostUsedBytes { releaseLargest() }
            return nil
        }

        mutating func give(_ pointer: UnsafeMutableRawPointer, _ size: Int) {
            (usedBytes, freeBytes) = (usedBytes - size, freeBytes + size)
            unsafe free[size, default: []].append(pointer)
        }

        private mutating func releaseLargest() {
            let sizes = unsafe free.filter { unsafe !$0.value.isEmpty }.map { unsafe $0.key }
            guard let size = sizes.max(), let pointer = unsafe free[size]?.popLast() else { return }
            freeBytes -= size
            unsafe pointer.deallocate()
        }
    }

    // The pointers in the state are to buffers that nobody else uses any more.
    private let state = Mutex(State())

    func buffer(bytes: Int) -> UnsafeMutableRawPointer {
        let size = Self.rounded(bytes)
        let reused = state.withLock { state in
            unsafe state.take(size).map { unsafe SendableBuffer(pointer: $0) }
        }
        if let reused { return unsafe reused.pointer }
        return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.alignment)
    }

    func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
        let size = Self.rounded(bytes)
        let buffer = unsafe SendableBuffer(pointer: pointer)
        state.withLock { unsafe $0.give(buffer.pointer, size) }
    }

    private static func rounded(_ bytes: Int) -> Int {
        max((bytes + alignment - 1) / alignment, 1) * alignment
    }
}

/// A buffer on its way in or out of the pool; safe to send because exactly one owner holds it.
@safe private struct SendableBuffer: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
}
