import CKernels
import COneDNN

/// Convolutions by this package's own kernels, for few channels on CPUs with AVX-512 (`convolutions.h`).
///
/// There they are faster than oneDNN's: no lane is left empty for 24 channels, and what follows the sums costs less.
enum DirectConvolution {
    /// Whether they are used where there is one.
    @TaskLocal static var isAllowed = aqc_prefers_own_convolutions()

    /// What the kernel does to pixels beside the convolution; 0 for nothing.
    struct PixelShuffle {
        /// Side of the squares of pixels that become the source's channels.
        var unshuffle = 0
        /// Side of the squares of pixels that the result's channels become.
        var shuffle = 0
    }

    /// `source` is height, width and channels as the convolution sees them; `nil` where no kernel could be asked for.
    static func shape(
        source: [Int],
        weights: [Int],
        _ geometry: ConvolutionGeometry,
        pixels: PixelShuffle = PixelShuffle()
    ) -> aqc_direct_shape? {
        guard isAllowed, weights[1] == weights[2] else { return nil }
        return aqc_direct_shape(
            height: source[0],
            width: source[1],
            inputs: source[2],
            outputs: weights[0],
            kernel: weights[1],
            stride: geometry.stride,
            padding: geometry.padding,
            unshuffle: pixels.unshuffle,
            shuffle: pixels.shuffle
        )
    }
}

extension Compute {
    /// Runs a computation with the convolutions of oneDNN alone: the package's own convolutions are compared with these.
    package static func withLibraryConvolutions<Result>(_ body: () throws -> Result) rethrows -> Result {
        try DirectConvolution.$isAllowed.withValue(false) {
            try WinogradConvolution.$isAllowed.withValue(false, operation: body)
        }
    }
}

extension Tensor {
    /// A fused forward convolution in bfloat16; `nil` where another precision is wanted or no kernel fits.
    func directConvolution(
        weights: Tensor,
        bias: Tensor?,
        geometry: ConvolutionGeometry,
        adding addend: Tensor? = nil,
        activation: Activation,
        pixels: DirectConvolution.PixelShuffle = .init()
    ) -> Tensor? {
        guard Precision.ofConvolutions == .bfloat16 else { return nil }
        let images = unshuffledShape(pixels.unshuffle)
        let shape = DirectConvolution.shape(
            source: Array(images.dropFirst()),
            weights: weights.shape,
            geometry,
            pixels: pixels
        )
        guard let shape, aqc_direct_floats_fits(shape) != 0 else { return nil }
        let side = max(pixels.shuffle, 1)
        let result = Tensor(uninitialized: [
            images[0], side * geometry.outputLength(images[1], kernel: weights.shape[1]),
            side * geometry.outputLength(images[2], kernel: weights.shape[2]),
            weights.shape[0] / (side * side),
        ])
        let kind = KernelTimes.Kind.convolution(images: images, weights: weights.shape, geometry, .bfloat16)
        let operations = 2 * Double(result.count) * Double(weights.count / weights.shape[0])
        KernelTimes.measure(kind, operations: operations) {
            run(shape, weights, bias, addend, activation, into: result)
        }
        return result
    }

    private func unshuffledShape(_ side: Int) -> [Int] {
        guard side > 0 else { return shape }
        return [shape[0], shape[1] / side, shape[2] / side, shape[3] * side * side]
    }

    private func run(
        _ shape: aqc_direct_shape,
        _ weights: Tensor,
        _ bias: Tensor?,
        _ addend: Tensor?,
        _ activation: Activation,
        into result: Tensor
    ) {
        let packed = weights.storage.inLayout(.direct(shape: weights.shape)) {
            let packed = TensorStorage(count: aqc_direct_floats_size(shape) / MemoryLayout<Float>.stride)
            unsafe aqc_direct_floats_pack(shape, weights.storage.pointer, packed.pointer)
            return packed
        }
        let batch = self.shape[0]
        let (inputs, outputs) = (count / batch, result.count / batch)
        for image in 0..<batch {
            unsafe aqc_direct_floats_run(
                shape,
                packed.pointer,
                storage.pointer + image * inputs,
                bias?.storage.pointer,
                addend.map { unsafe UnsafePointer($0.storage.pointer + image * outputs) },
                activation == .silu ? 1 : 0,
                result.storage.pointer + image * outputs
            )
        }
    }
}

extension Variable {
    /// A convolution after a pixel unshuffle, in one kernel where nothing is recorded and there is one.
    package func convolution(
        afterUnshuffle side: Int,
        weights: Variable,
        bias: Variable,
        geometry: ConvolutionGeometry,
        activation: Activation
    ) -> Variable {
        let direct = value.directConvolution(
            weights: weights.value,
            bias: bias.value,
            geometry: geometry,
            activation: activation,
            pixels: .init(unshuffle: side)
        )
        if let direct { return Variable(constant: direct) }
        return pixelUnshuffled(side).convolution(
            weights: weights,
            bias: bias,
            geometry: geometry,
            activation: activation
        )
    }

    /// A convolution before a pixel shuffle, in one kernel where nothing is recorded and there is one.
    package func convolution(
        beforeShuffle side: Int,
        weights: Variable,
        bias: Variable,
        geometry: ConvolutionGeometry
    ) -> Variable {
        let direct = value.directConvolution(
            weights: weights.value,
            bias: bias.value,
            geometry: geometry,
            activation: .identity,
            pixels: .init(shuffle: side)
        )
        if let direct { return Variable(constant: direct) }
        return convolution(weights: weights, bias: bias, geometry: geometry).pixelShuffled(side)
    }
}
