import COpenBLAS

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
