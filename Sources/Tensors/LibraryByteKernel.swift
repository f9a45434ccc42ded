import COneDNN

/// A convolution of bytes by oneDNN, on the lane that it was made on.
@safe final class LibraryByteKernel: ByteKernel {
    private let handle: UnsafeMutablePointer<aqc_quantised>
    private let engine: ComputeEngine

    init(_ given: ByteKernelDefinition) {
        engine = ComputeEngine.current
        let made = engine.withHandles { handles in
            unsafe given.weightScales.withUnsafeBufferPointer { scales in
                var status = dnnl_success
                let meaning = unsafe aqc_scales(
                    source: aqc_byte_scale(given.source),
                    destination: aqc_byte_scale(given.output),
                    addend: aqc_byte_scale(given.addend),
                    weights: scales.baseAddress,
                    to_float: given.output == nil
                )
                let made = unsafe aqc_quantised_make(
                    handles.engine,
                    handles.stream,
                    given.shape,
                    meaning,
                    given.activation == .silu ? aqc_swish : aqc_identity,
                    given.weights.storage.pointer,
                    given.bias.storage.pointer,
                    &status
                )
                return unsafe Made(handle: made, status: status)
            }
        }
        guard let handle = unsafe made.handle else {
            // Shapes come from a checked architecture; a refusal here is a programmer's mistake.
            fatalError(
                "oneDNN has no convolution of bytes for \(given.shape): status \(made.status.rawValue)"
            )
        }
        unsafe self.handle = handle
    }

    /// What making it gave, on its way out of the engine's lock.
    @safe private struct Made: @unchecked Sendable {
        let handle: UnsafeMutablePointer<aqc_quantised>?
        let status: dnnl_status_t
    }

    deinit { unsafe aqc_quantised_free(handle) }

    func run(_ source: UnsafePointer<UInt8>, _ output: UnsafeMutableRawPointer) {
        let buffers = unsafe Buffers(source: source, output: output)
        let status = engine.withHandles { handles in
            unsafe aqc_quantised_run(handle, handles.stream, buffers.source, buffers.output)
        }
        precondition(status == dnnl_success, "oneDNN failed on bytes: status \(status.rawValue)")
    }

    /// Memory on its way into the engine's lock.
    @safe private struct Buffers: @unchecked Sendable {
        let source: UnsafePointer<UInt8>
        let output: UnsafeMutableRawPointer
    }
}

extension ByteKernelDefinition {
    fileprivate var shape: aqc_convolution_shape {
        aqc_convolution_shape(
            batch: 1,
            height: Int64(sourceShape[0]),
            width: Int64(sourceShape[1]),
            input_channels: Int64(sourceShape[2]),
            output_height: Int64(outputShape[0]),
            output_width: Int64(outputShape[1]),
            output_channels: Int64(outputShape[2]),
            kernel_height: Int64(weights.shape[1]),
            kernel_width: Int64(weights.shape[2]),
            stride: Int64(geometry.stride),
            padding: Int64(geometry.padding)
        )
    }
}

extension aqc_byte_scale {
    /// The same for C; a step of 0 where there is none.
    fileprivate init(_ scale: ByteScale?) { self.init(step: scale?.step ?? 0, zero: scale?.zero ?? 0) }
}
