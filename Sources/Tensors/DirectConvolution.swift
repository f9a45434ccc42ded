import CKernels
import COneDNN

/// Convolutions by this package's own kernels, for few channels on CPUs with AVX-512 (`convolutions.h`).
///
/// There they are faster than oneDNN's: no lane is left empty for 24 channels, and what follows the sums costs less.
enum DirectConvolution {
    /// Whether they are used where there is one.
    @TaskLocal static var isAllowed = aqc_prefers_own_convolutions()

    /// Cells of pixels that are channels to the convolution but lie as pixels in memory; 0 where there are none.
    struct Cells {
        var source = 0
        var result = 0
    }

    /// `source` is height, width and channels as the convolution sees them; `nil` where no kernel could be asked for.
    static func shape(
        source: [Int],
        weights: [Int],
        _ geometry: ConvolutionGeometry,
        cells: Cells = Cells()
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
            source_cell: cells.source,
            result_cell: cells.result
        )
    }
}

extension Compute {
    /// Runs a computation with the convolutions of oneDNN alone: the package's own convolutions are compared with these.
    package static func withLibraryConvolutions<Result>(_ body: () throws -> Result) rethrows -> Result {
        try DirectConvolution.$isAllowed.withValue(false, operation: body)
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
        cells: DirectConvolution.Cells = DirectConvolution.Cells()
    ) -> Tensor? {
        guard Precision.ofConvolutions == .bfloat16 else { return nil }
        let images = packed(by: cells.source)
        let shape = DirectConvolution.shape(
            source: Array(images.dropFirst()),
            weights: weights.shape,
            geometry,
            cells: cells
        )
        guard let shape, aqc_direct_floats_fits(shape) != 0 else { return nil }
        let side = max(cells.result, 1)
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

    /// The shape as cells of so many pixels a side become channels.
    private func packed(by cell: Int) -> [Int] {
        guard cell > 0 else { return shape }
        return [shape[0], shape[1] / cell, shape[2] / cell, shape[3] * cell * cell]
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
    /// A convolution of cells of `side` x `side` pixels as channels (`spaceToDepth`), in one kernel where nothing is recorded
    /// and there is one.
    package func convolutionOfCells(
        _ side: Int,
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
            cells: DirectConvolution.Cells(source: side)
        )
        if let direct { return Variable(constant: direct) }
        return spaceToDepth(side).convolution(
            weights: weights,
            bias: bias,
            geometry: geometry,
            activation: activation
        )
    }

    /// A convolution whose channels become cells of `side` x `side` pixels (`depthToSpace`), in one kernel where nothing is
    /// recorded and there is one.
    package func convolutionIntoCells(
        _ side: Int,
        weights: Variable,
        bias: Variable,
        geometry: ConvolutionGeometry
    ) -> Variable {
        let direct = value.directConvolution(
            weights: weights.value,
            bias: bias.value,
            geometry: geometry,
            activation: .identity,
            cells: DirectConvolution.Cells(result: side)
        )
        if let direct { return Variable(constant: direct) }
        return convolution(weights: weights, bias: bias, geometry: geometry).depthToSpace(side)
    }
}
