import Tensors

/// A way of computing the realtime U-Net: in floats, in floats with an eye on their ranges, or in bytes.
protocol UNetArithmetic {
    /// What flows between layers.
    associatedtype Image

    /// Cells of pixels as channels, through the stem.
    func entered(_ image: Variable, cell: Int, _ stem: ConvolutionLayer) -> Image
    /// One convolution.
    func convolved(_ x: Image, _ layer: ConvolutionLayer, activation: Activation) -> Image
    /// One residual block.
    func passed(_ x: Image, through block: ResidualBlock) -> Image
    /// The sum of an image of half the size, doubled, and a skip, which nobody uses afterwards.
    func joined(_ low: Image, _ skip: Image) -> Image
    /// Through the last layer, and channels as pixels again.
    func left(_ x: Image, cell: Int, _ exit: ConvolutionLayer) -> Variable
}

/// The arithmetic of training, of float32 and of bfloat16.
struct FloatArithmetic: UNetArithmetic {
    /// The time embedding; `nil` where it is folded into the layers.
    let time: Variable?

    func entered(_ image: Variable, cell: Int, _ stem: ConvolutionLayer) -> Variable {
        stem.ofCells(cell, of: image, activation: .silu)
    }

    func convolved(_ x: Variable, _ layer: ConvolutionLayer, activation: Activation) -> Variable {
        layer(x, activation: activation)
    }

    func passed(_ x: Variable, through block: ResidualBlock) -> Variable { block(x, time: time) }

    func joined(_ low: Variable, _ skip: Variable) -> Variable {
        low.upsampled(adding: skip)
    }

    func left(_ x: Variable, cell: Int, _ exit: ConvolutionLayer) -> Variable {
        exit.intoCells(cell, x)
    }
}

/// The arithmetic of a folded network that notes the range of everything that bytes would hold, in order.
///
/// Nothing of normal frames saturates: finer steps at that price hide part of what a fault does inside the network.
final class RangingArithmetic: UNetArithmetic {
    private(set) var ranges: [ClosedRange<Float>] = []
    private let floats = FloatArithmetic(time: nil)

    private func noting(_ x: Variable) -> Variable {
        ranges.append(x.value.range)
        return x
    }

    func entered(_ image: Variable, cell: Int, _ stem: ConvolutionLayer) -> Variable {
        noting(floats.entered(noting(image), cell: cell, stem))
    }

    func convolved(_ x: Variable, _ layer: ConvolutionLayer, activation: Activation) -> Variable {
        noting(floats.convolved(x, layer, activation: activation))
    }

    func passed(_ x: Variable, through block: ResidualBlock) -> Variable {
        noting(block.second(noting(block.first(x, activation: .silu)), adding: x, activation: .silu))
    }

    func joined(_ low: Variable, _ skip: Variable) -> Variable { noting(floats.joined(low, skip)) }

    func left(_ x: Variable, cell: Int, _ exit: ConvolutionLayer) -> Variable {
        floats.left(x, cell: cell, exit)
    }
}
