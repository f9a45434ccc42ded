import CKernels

/// A convolution of bytes by this package's own kernel; `nil` where there is none (`DirectConvolution`).
@safe final class DirectByteKernel: ByteKernel {
    private let handle: OpaquePointer

    init?(_ given: ByteKernelDefinition) {
        let shape = DirectConvolution.shape(
            source: given.sourceShape,
            weights: given.weights.shape,
            given.geometry,
            cells: DirectConvolution.Cells(result: given.cell)
        )
        // A result in float32 has nothing to add to: its memory is new.
        guard let shape, aqc_direct_bytes_fits(shape) != 0, given.output != nil || given.addend == nil else {
            return nil
        }
        // The zero of the addend is part of the bias.
        let (step, zero) = (given.addend?.step ?? 0, Float(given.addend?.zero ?? 0))
        let bias = given.bias.values.map { $0 - step * zero }
        let finish = aqc_direct_finish(
            silu: given.activation == .silu ? 1 : 0,
            to_float: given.output == nil ? 1 : 0,
            addend_step: step,
            unit: given.output.map { 1 / $0.step } ?? 1,
            zero: Float(given.output?.zero ?? 0)
        )
        let made = unsafe aqc_direct_bytes_make(
            shape,
            given.weights.storage.pointer,
            given.weightScales,
            bias,
            given.source.step,
            given.source.zero,
            finish
        )
        guard let made = unsafe made else { fatalError("no memory for the weights of a convolution") }
        unsafe handle = made
    }

    deinit { unsafe aqc_direct_bytes_free(handle) }

    func run(_ source: UnsafePointer<UInt8>, _ output: UnsafeMutableRawPointer) {
        unsafe aqc_direct_bytes_run(handle, source, output)
    }
}
