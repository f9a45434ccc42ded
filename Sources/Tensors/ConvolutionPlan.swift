import COneDNN

/// One oneDNN convolution at one shape, made once and kept.
///
/// Holds the primitive, its memory objects and the reorder of its weights. Used only under the engine's
/// lock.
@safe final class ConvolutionPlan {
    /// Which of the three buffers is computed from the other two.
    enum Kind: Hashable {
        case forward(hasBias: Bool, activation: Activation, accumulates: Bool)
        case dataGradient
        case weightGradient
    }

    struct Key: Hashable {
        let kind: Kind
        let source: [Int]
        let weights: [Int]
        let geometry: ConvolutionGeometry
    }

    private let handle: UnsafeMutablePointer<aqc_convolution>

    private init(_ key: Key, engine: dnnl_engine_t) {
        var shape = aqc_convolution_shape()
        let sizes = key.source.map { Int64($0) }
        (shape.batch, shape.height, shape.width, shape.input_channels) = (
            sizes[0], sizes[1], sizes[2], sizes[3]
        )
        shape.output_channels = Int64(key.weights[0])
        shape.kernel_height = Int64(key.weights[1])
        shape.kernel_width = Int64(key.weights[2])
        shape.stride = Int64(key.geometry.stride)
        shape.padding = Int64(key.geometry.padding)
        shape.output_height = Int64(key.geometry.outputLength(key.source[1], kernel: key.weights[1]))
        shape.output_width = Int64(key.geometry.outputLength(key.source[2], kernel: key.weights[2]))
        var status = dnnl_success
        let made =
            switch key.kind {
            case .forward(let hasBias, let activation, let accumulates):
                unsafe aqc_convolution_make(
                    engine,
                    aqc_forward,
                    shape,
                    hasBias,
                    activation == .silu ? aqc_swish : aqc_identity,
                    accumulates,
                    &status
                )
            case .dataGradient:
                unsafe aqc_convolution_make(
                    engine,
                    aqc_backward_data,
                    shape,
                    false,
                    aqc_identity,
                    false,
                    &status
                )
            case .weightGradient:
                unsafe aqc_convolution_make(
                    engine,
                    aqc_backward_weights,
                    shape,
                    false,
                    aqc_identity,
                    false,
                    &status
                )
            }
        guard let handle = unsafe made else {
            // Shapes come from a checked architecture; a refusal here is a programmer's mistake.
            fatalError("oneDNN has no convolution for \(key): status \(status.rawValue)")
        }
        unsafe self.handle = handle
    }

    deinit { unsafe aqc_convolution_free(handle) }

    /// Runs a convolution of this kind, making its plan on first use.
    static func run(
        _ kind: Kind,
        source: Tensor,
        weights: Tensor,
        destination: Tensor,
        bias: Tensor? = nil,
        geometry: ConvolutionGeometry
    ) {
        let key = Key(kind: kind, source: source.shape, weights: weights.shape, geometry: geometry)
        ComputeEngine.shared.withHandles { handles in
            let plan = unsafe handles.plans[key] ?? ConvolutionPlan(key, engine: handles.engine)
            handles.plans[key] = plan
            let status = unsafe plan.run(
                kind,
                stream: handles.stream,
                source: source.storage,
                weights: weights.storage,
                destination: destination.storage,
                bias: bias?.storage
            )
            precondition(status == dnnl_success, "oneDNN failed on \(key): status \(status.rawValue)")
        }
    }

    private func run(
        _ kind: Kind,
        stream: dnnl_stream_t,
        source: TensorStorage,
        weights: TensorStorage,
        destination: TensorStorage,
        bias: TensorStorage?
    ) -> dnnl_status_t {
        guard unsafe handle.pointee.reorder != nil else {
            return unsafe aqc_convolution_run(
                handle,
                stream,
                source.pointer,
                weights.pointer,
                destination.pointer,
                bias?.pointer
            )
        }
        if kind == .weightGradient {
            let blocked = blockedWeights()
            let status = unsafe aqc_convolution_run(
                handle,
                stream,
                source.pointer,
                blocked.pointer,
                destination.pointer,
                nil
            )
            guard status == dnnl_success else { return status }
            return unsafe aqc_convolution_reorder(handle, stream, weights.pointer, blocked.pointer)
        }
        let blocked = weights.layout(for: ObjectIdentifier(self)) {
            let blocked = blockedWeights()
            unsafe aqc_convolution_reorder(handle, stream, weights.pointer, blocked.pointer)
            return blocked
        }
        return unsafe aqc_convolution_run(
            handle,
            stream,
            source.pointer,
            blocked.pointer,
            destination.pointer,
            bias?.pointer
        )
    }

    private func blockedWeights() -> TensorStorage {
        unsafe TensorStorage(count: handle.pointee.weights_bytes / MemoryLayout<Float>.stride)
    }
}
