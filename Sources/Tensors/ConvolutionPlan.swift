import CKernels
import COneDNN

/// One oneDNN convolution at one shape, made once and kept.
///
/// Holds the primitive, its memory objects and the reorder of its weights. Used only under its engine's
/// lock.
@safe final class ConvolutionPlan: @unchecked Sendable {
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
        let precision: Precision
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
            aqc_convolution_shape(images: key.source, weights: key.weights, key.geometry),
            bias,
            activation == .silu ? aqc_swish : aqc_identity,
            accumulates,
            key.precision == .bfloat16 ? dnnl_bf16 : dnnl_f32,
            &status
        )
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
        addend: Tensor? = nil,
        geometry: ConvolutionGeometry
    ) {
        let key = Key(
            kind: kind,
            source: source.shape,
            weights: weights.shape,
            geometry: geometry,
            precision: Precision.ofConvolutions
        )
        ComputeEngine.current.withHandles { handles in
            let plan = unsafe handles.plans[key] ?? ConvolutionPlan(key, engine: handles.engine)
            handles.plans[key] = plan
            let operands = Operands(
                source: source.storage,
                weights: weights.storage,
                destination: destination.storage,
                bias: bias?.storage,
                addend: addend?.storage
            )
            let status = unsafe plan.run(kind, operands, stream: handles.stream)
            precondition(status == dnnl_success, "oneDNN failed on \(key): status \(status.rawValue)")
        }
    }

    private struct Operands {
        var source: TensorStorage
        var weights: TensorStorage
        var destination: TensorStorage
        let bias: TensorStorage?
        /// What the destination starts from, if the result is to be added to something.
        let addend: TensorStorage?
    }

    private func run(_ kind: Kind, _ given: Operands, stream: dnnl_stream_t) -> dnnl_status_t {
        var own = given
        unsafe own.source = inLayout(given.source, handle.pointee.source)
        unsafe own.weights = weightsInLayout(given.weights, kind: kind, stream: stream)
        unsafe own.destination = inLayout(given.destination, handle.pointee.destination)
        var status = unsafe enter(kind, given, own, stream: stream)
        guard status == dnnl_success else { return status }
        status = unsafe aqc_convolution_run(
            handle,
            stream,
            own.source.pointer,
            own.weights.pointer,
            own.destination.pointer,
            own.bias?.pointer
        )
        guard status == dnnl_success else { return status }
        return unsafe leave(kind, given, own, stream: stream)
    }

    /// Brings what the primitive reads into its layouts.
    private func enter(
        _ kind: Kind,
        _ given: Operands,
        _ own: Operands,
        stream: dnnl_stream_t
    ) -> dnnl_status_t {
        if kind != .dataGradient, own.source !== given.source {
            let status = unsafe aqc_buffer_enter(
                &handle.pointee.source,
                stream,
                given.source.pointer,
                own.source.pointer
            )
            guard status == dnnl_success else { return status }
        }
        guard kind.readsDestination else { return dnnl_success }
        let start = given.addend ?? given.destination
        guard own.destination !== given.destination else {
            if start !== own.destination {
                unsafe aqc_affine(start.pointer, 1, 0, own.destination.pointer, start.count)
            }
            return dnnl_success
        }
        return unsafe aqc_buffer_enter(
            &handle.pointee.destination,
            stream,
            start.pointer,
            own.destination.pointer
        )
    }

    /// Brings what the primitive wrote into the tensors' layout.
    private func leave(
        _ kind: Kind,
        _ given: Operands,
        _ own: Operands,
        stream: dnnl_stream_t
    ) -> dnnl_status_t {
        func leave(_ own: TensorStorage, _ plain: TensorStorage, _ buffer: inout aqc_buffer) -> dnnl_status_t
        {
            guard own !== plain else { return dnnl_success }
            return unsafe aqc_buffer_leave(&buffer, stream, own.pointer, plain.pointer)
        }
        return switch kind {
        case .forward: unsafe leave(own.destination, given.destination, &handle.pointee.destination)
        case .dataGradient: unsafe leave(own.source, given.source, &handle.pointee.source)
        case .weightGradient: unsafe leave(own.weights, given.weights, &handle.pointee.weights)
        }
    }

    /// Room for a tensor in the form that the primitive wants; the tensor's own memory if that is its form.
    private func inLayout(_ plain: TensorStorage, _ buffer: aqc_buffer) -> TensorStorage {
        guard unsafe buffer.enter != nil else { return plain }
        return unsafe TensorStorage(
            count: (buffer.wanted_bytes + MemoryLayout<Float>.stride - 1) / MemoryLayout<Float>.stride
        )
    }

    /// The weights in the layout that the primitive wants; for a weight gradient, room for the result in it.
    private func weightsInLayout(_ weights: TensorStorage, kind: Kind, stream: dnnl_stream_t) -> TensorStorage
    {
        let buffer = unsafe handle.pointee.weights
        guard unsafe buffer.enter != nil, kind != .weightGradient else {
            return unsafe inLayout(weights, buffer)
        }
        return weights.inLayout(.plan(self)) {
            let own = unsafe inLayout(weights, buffer)
            unsafe aqc_buffer_enter(&handle.pointee.weights, stream, weights.pointer, own.pointer)
            return own
        }
    }
}

extension ConvolutionPlan.Kind {
    /// Whether what is in the destination before the convolution counts.
    fileprivate var readsDestination: Bool {
        switch self {
        case .forward(_, _, let accumulates): accumulates
        case .dataGradient, .weightGradient: true
        }
    }
}

extension ConvolutionPlan: Hashable {
    static func == (one: ConvolutionPlan, other: ConvolutionPlan) -> Bool { one === other }

    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension aqc_convolution_shape {
    /// Images N x H x W x I, weights O x KH x KW x I.
    init(images: [Int], weights: [Int], _ geometry: ConvolutionGeometry) {
        self.init(
            batch: Int64(images[0]),
            height: Int64(images[1]),
            width: Int64(images[2]),
            input_channels: Int64(images[3]),
            output_height: Int64(geometry.outputLength(images[1], kernel: weights[1])),
            output_width: Int64(geometry.outputLength(images[2], kernel: weights[2])),
            output_channels: Int64(weights[0]),
            kernel_height: Int64(weights[1]),
            kernel_width: Int64(weights[2]),
            stride: Int64(geometry.stride),
            padding: Int64(geometry.padding)
        )
    }
}
