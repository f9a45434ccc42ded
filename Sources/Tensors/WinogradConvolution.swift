import CKernels
import COneDNN

/// 3 x 3 convolutions of many channels in float32 by minimal filtering (`winograd.h`), forward and both gradients.
///
/// They take a quarter of the multiplications, so they are more than twice as fast as oneDNN's where they fit.
struct WinogradConvolution {
    /// Whether they are used where they fit.
    @TaskLocal static var isAllowed = aqc_prefers_winograd()

    private let shape: aqc_winograd_shape

    /// `images` are N x H x W x I, `weights` O x KH x KW x I; `nil` where no kernel fits or another precision is wanted.
    init?(images: [Int], weights: [Int], _ geometry: ConvolutionGeometry) {
        let shape = aqc_winograd_shape(
            batch: images[0],
            height: images[1],
            width: images[2],
            inputs: images[3],
            outputs: weights[0]
        )
        guard Self.isAllowed, Precision.ofConvolutions == .float32, weights[1...2] == [3, 3],
            geometry == ConvolutionGeometry(stride: 1, padding: 1), aqc_winograd_fits(shape)
        else { return nil }
        self.shape = shape
    }

    func run(images: Tensor, weights: Tensor, bias: Tensor?, addend: Tensor?, into result: Tensor) {
        // Weights that are being trained serve one step; the others are kept transformed.
        let packed =
            Recording.isOn
            ? pack(weights, shape)
            : weights.storage.inLayout(.winograd(shape: weights.shape)) { pack(weights, shape) }
        run(shape, packed: packed, images: images, bias: bias, addend: addend, into: result)
    }

    func runDataGradient(upstream: Tensor, weights: Tensor, into result: Tensor) {
        var turned = shape
        (turned.inputs, turned.outputs) = (shape.outputs, shape.inputs)
        let packed = pack(weights, turned, isForGradient: true)
        run(turned, packed: packed, images: upstream, bias: nil, addend: nil, into: result)
    }

    func runWeightGradient(images: Tensor, upstream: Tensor, into result: Tensor) {
        let scratch = TensorStorage(count: aqc_winograd_gradient_scratch(shape))
        unsafe aqc_winograd_weight_gradient(
            shape,
            images.storage.pointer,
            upstream.storage.pointer,
            result.storage.pointer,
            scratch.pointer
        )
    }

    private func pack(_ weights: Tensor, _ shape: aqc_winograd_shape, isForGradient: Bool = false)
        -> TensorStorage
    {
        let packed = TensorStorage(count: aqc_winograd_packed_size(shape))
        unsafe aqc_winograd_pack(shape, weights.storage.pointer, isForGradient, packed.pointer)
        return packed
    }

    private func run(
        _ shape: aqc_winograd_shape,
        packed: TensorStorage,
        images: Tensor,
        bias: Tensor?,
        addend: Tensor?,
        into result: Tensor
    ) {
        let threads = Compute.threads
        let scratch = TensorStorage(count: aqc_winograd_scratch(shape, threads))
        unsafe aqc_winograd(
            shape,
            packed.pointer,
            images.storage.pointer,
            bias?.storage.pointer,
            addend?.storage.pointer,
            result.storage.pointer,
            scratch.pointer,
            threads
        )
    }
}
