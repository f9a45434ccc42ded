import CKernels

/// Convolutions by this package's own kernels, for few channels on CPUs with AVX-512 (`convolutions.h`).
///
/// There they are faster than oneDNN's: no lane is left empty for 24 channels, and what follows the sums costs less.
enum DirectConvolution {
    /// Whether they are used where there is one.
    @TaskLocal static var isAllowed = true

    static func shape(source: [Int], weights: [Int], _ geometry: ConvolutionGeometry) -> aqc_direct_shape? {
        guard isAllowed, weights[1] == weights[2] else { return nil }
        return aqc_direct_shape(
            height: source[0],
            width: source[1],
            inputs: source[2],
            outputs: weights[0],
            kernel: weights[1],
            stride: geometry.stride,
            padding: geometry.padding
        )
    }

    /// A forward convolution in bfloat16, N x H x W x I; `false`, with nothing done, where there is no kernel for it.
    static func run(
        source: Tensor,
        weights: Tensor,
        destination: Tensor,
        bias: Tensor?,
        addend: Tensor?,
        geometry: ConvolutionGeometry,
        activation: Activation
    ) -> Bool {
        let size = Array(source.shape.dropFirst())
        guard let shape = shape(source: size, weights: weights.shape, geometry),
            aqc_direct_floats_fits(shape) != 0
        else { return false }
        let packed = weights.storage.inLayout(.direct(shape: weights.shape)) {
            let count = aqc_direct_floats_size(shape) / MemoryLayout<Float>.stride
            let packed = TensorStorage(count: count)
            unsafe aqc_direct_floats_pack(shape, weights.storage.pointer, packed.pointer)
            return packed
        }
        let (inputs, outputs) = (size.reduce(1, *), destination.shape.dropFirst().reduce(1, *))
        for image in 0..<source.shape[0] {
            unsafe aqc_direct_floats_run(
                shape,
                packed.pointer,
                source.storage.pointer + image * inputs,
                bias?.storage.pointer,
                addend.map { unsafe UnsafePointer($0.storage.pointer + image * outputs) },
                activation == .silu ? 1 : 0,
                destination.storage.pointer + image * outputs
            )
        }
        return true
    }
}

extension Compute {
    /// Runs a computation with the convolutions of oneDNN alone: what the package's own are held against.
    public static func withLibraryConvolutions<Result>(_ body: () throws -> Result) rethrows -> Result {
        try DirectConvolution.$isAllowed.withValue(false, operation: body)
    }
}
