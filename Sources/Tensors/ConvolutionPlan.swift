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
        var status = dnnl_success
        let (kind, bias, activation, accumulates) =
            switch key.kind {
            case .forward(let hasBias, let activation, let accumulates):
                (aqc_forward, hasBias, activation, accumulates)
            case .dataGradient: (aqc_backward_data, false, Activation.identity, false)
            case .weightGradient: (aqc_backward_weights, false, Activation.identity, false)
            }
        let made = unsafe aqc_convolution_make(
            engine,
            kind,
            Self.shape(key),
            bias,
            activation == .silu ? aqc_swish : aqc_identity,
            accumulates,
            &status
        )
        guard let handle = unsafe made else {
            // Shapes come from a checked architecture; a refusal here is a programmer's mistake.
            fatalError("oneDNN has no convolution for \(key): status \(status.rawValue)")
        }
        unsafe self.handle = handle
    }

    private static func shape(_ key: Key) -> aqc_convolution_shape {
        let (source, weights, geometry) = (key.source, key.weights, key.geometry)
        return aqc_convolution_shape(
            batch: Int64(source[0]),
            height: Int64(source[1]),
            width: Int64(source[2]),
            input_channels: Int64(source[3]),
            output_height: Int64(geometry.outputLength(source[1], kernel: weights[1])),
            output_width: Int64(geometry.outputLength(source[2], kernel: weights[2])),
            output_channels: Int64(weights[0]),
            kernel_height: Int64(weights[1]),
            kernel_width: Int64(weights[2]),
            stride: Int64(geometry.stride),
            padding: Int64(geometry.padding)
        )
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
        let inLayout = unsafe weightsInLayout(weights, kind: kind, stream: stream)
        let status = unsafe aqc_convolution_run(
            handle,
            stream,
            source.pointer,
            inLayout.pointer,
            destination.pointer,
            bias?.pointer
        )
        guard status == dnnl_success, kind == .weightGradient, inLayout !== weights else { return status }
        return unsafe aqc_convolution_reorder(handle, stream, weights.pointer, inLayout.pointer)
    }

    /// The weights in the layout that the primitive wants; for a weight gradient, room for the result in it.
    private func weightsInLayout(_ weights: TensorStorage, kind: Kind, stream: dnnl_stream_t) -> TensorStorage
    {
        guard unsafe handle.pointee.reorder != nil else { return weights }
        guard kind != .weightGradient else { return blockedWeights() }
        return weights.layout(for: ObjectIdentifier(self)) {
            let blocked = blockedWeights()
            unsafe aqc_convolution_reorder(handle, stream, weights.pointer, blocked.pointer)
            return blocked
        }
    }

    private func blockedWeights() -> TensorStorage {
        unsafe TensorStorage(count: handle.pointee.weights_bytes / MemoryLayout<Float>.stride)
    }
}
