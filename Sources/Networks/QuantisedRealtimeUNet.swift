package import Tensors

/// A folded realtime U-Net that computes in bytes: a plan for images of one size, with all weights rounded, all
/// convolutions made and all memory taken once.
///
/// Convolutions multiply bytes and leave bytes, with bias, sum and SiLU in the same kernel; a block writes over its
/// input, and a sum over the skip. Only the last convolution leaves float32.
package final class QuantisedRealtimeUNet {
    private let network: RealtimeUNet
    private let arithmetic: ByteArithmetic

    /// Prepares a folded network; `ranges` are those that `RealtimeUNet.ranges` found on normal images.
    ///
    /// Runs on the lane that it is first called on.
    package init(_ network: RealtimeUNet, ranges: [ClosedRange<Float>]) {
        precondition(
            ranges.count == network.rangeCount,
            "\(ranges.count) ranges for \(network.rangeCount) images"
        )
        self.network = network
        arithmetic = ByteArithmetic(scales: ranges.map { ByteScale(holding: $0) })
    }

    /// Predicts the clean image, 1 x H x W x 1, from a noised one; the same H and W in every call.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        arithmetic.begin()
        return Recording.off { network.run(Variable(constant: x), with: arithmetic).value }
    }
}

extension RealtimeUNet {
    /// The range of every image inside a folded network for a noised one, 1 x H x W x 1: what bytes are to hold.
    package func ranges(of image: Tensor) -> [ClosedRange<Float>] {
        let arithmetic = RangingArithmetic()
        _ = Recording.off { run(Variable(constant: image), with: arithmetic) }
        return arithmetic.ranges
    }

    /// How many images there are inside the network.
    package var rangeCount: Int {
        // The entrance before and after the stem; two a block; two halvings; two convolutions and sums on the way up.
        2 + 2 * (architecture.blocks.reduce(0, +) + architecture.blocks[0] + architecture.blocks[1]) + 2 + 4
    }
}

/// The arithmetic of bytes.
///
/// In the first pass it makes what it needs; afterwards it goes through the same steps again.
private final class ByteArithmetic: UNetArithmetic {
    private enum Step {
        case room(ByteImage)
        case convolution(QuantisedConvolution)
    }

    private let scales: [ByteScale]
    private var steps: [Step] = []
    private var position = 0
    private var scale = 0

    init(scales: [ByteScale]) { self.scales = scales }

    func begin() { (position, scale) = (0, 0) }

    private func nextScale() -> ByteScale {
        defer { scale += 1 }
        return scales[scale]
    }

    private func step(_ make: () -> Step) -> Step {
        if position == steps.count { steps.append(make()) }
        defer { position += 1 }
        return steps[position]
    }

    private func room(_ shape: [Int], scale: ByteScale) -> ByteImage {
        guard case .room(let image) = step({ .room(ByteImage(shape: shape, scale: scale)) }) else {
            preconditionFailure("another network than in the first pass")
        }
        return image
    }

    private func convolution(
        _ layer: ConvolutionLayer,
        _ x: ByteImage,
        _ activation: Activation,
        output: ByteScale?,
        addend: ByteScale? = nil,
        shuffle: Int = 0,
        weights: @autoclosure () -> Tensor? = nil
    ) -> QuantisedConvolution {
        let made = step {
            .convolution(
                QuantisedConvolution(
                    weights: weights() ?? layer.weights.value,
                    bias: layer.bias.value,
                    geometry: layer.geometry,
                    activation: activation,
                    source: (x.shape, x.scale),
                    output: output,
                    addend: addend,
                    shuffle: shuffle
                )
            )
        }
        guard case .convolution(let convolution) = made else {
            preconditionFailure("another network than in the first pass")
        }
        return convolution
    }

    func stem(_ image: Variable, unshuffle: Int, _ layer: ConvolutionLayer) -> ByteImage {
        let (height, width) = (image.shape[1] / unshuffle, image.shape[2] / unshuffle)
        let channels = room([height, width, 2 * unshuffle * unshuffle], scale: nextScale())
        channels.quantise(image.value, unshuffle: unshuffle)
        return convolved(channels, layer, activation: .silu, weights: layer.weightsForTwoBytes)
    }

    func convolved(_ x: ByteImage, _ layer: ConvolutionLayer, activation: Activation) -> ByteImage {
        convolved(x, layer, activation: activation, weights: layer.weights.value)
    }

    private func convolved(
        _ x: ByteImage,
        _ layer: ConvolutionLayer,
        activation: Activation,
        weights: @autoclosure () -> Tensor
    ) -> ByteImage {
        let scale = nextScale()
        let convolution = convolution(layer, x, activation, output: scale, weights: weights())
        let output = room(convolution.outputShape, scale: scale)
        convolution(x, into: output)
        return output
    }

    func residual(_ x: ByteImage, _ block: ResidualBlock) -> ByteImage {
        let hidden = convolved(x, block.first, activation: .silu)
        let sum = x.rescaled(nextScale())
        convolution(block.second, hidden, .silu, output: sum.scale, addend: x.scale)(hidden, into: sum)
        return sum
    }

    func joined(_ low: ByteImage, _ skip: ByteImage) -> ByteImage {
        skip.adding(upsampled: low, scale: nextScale())
    }

    func head(_ x: ByteImage, shuffle: Int, _ layer: ConvolutionLayer) -> Variable {
        Variable(constant: convolution(layer, x, .identity, output: nil, shuffle: shuffle)(x))
    }
}

extension ConvolutionLayer {
    /// The weights for an input whose pixels are held in two bytes (`ByteImage.quantise`), O x KH x KW x 2 I.
    fileprivate var weightsForTwoBytes: Tensor {
        let shape = weights.value.shape
        let inputs = shape[3]
        let values = weights.value.values
        var doubled: [Float] = []
        doubled.reserveCapacity(2 * values.count)
        for start in stride(from: 0, to: values.count, by: inputs) {
            let taps = values[start..<start + inputs]
            doubled += taps
            doubled += taps.map { $0 / ByteImage.finer }
        }
        return Tensor(doubled, shape: Array(shape.dropLast()) + [2 * inputs])
    }
}
