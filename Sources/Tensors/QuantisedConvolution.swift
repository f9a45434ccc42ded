/// A convolution of bytes by bytes, made once for one shape: weights with a scale for each output channel (symmetric,
/// signed), sums in 32 bits, then bias, addend and activation in float32 in the same kernel.
///
/// Jacob et al. 2018, equations 1 to 7; zero points for images only.
@safe package final class QuantisedConvolution {
    private let kernel: any ByteKernel
    private let sourceShape: [Int]
    /// Height, width and channels of the result.
    package let outputShape: [Int]
    private let weightsShape: [Int]
    private let geometry: ConvolutionGeometry
    private let writesFloats: Bool
    private let cell: Int
    /// Whether the kernel itself brings channels into cells.
    private let makesCells: Bool

    /// Rounds the weights, O x KH x KW x I.
    ///
    /// `output` is the scale of the result; `nil` leaves float32. `addend` is the scale of what lies in the output before
    /// and is added; `nil` for nothing. With a `cell`, the channels of a float32 result become cells of so many pixels a side
    /// (`Variable.depthToSpace`). Runs on the lane that it is made on.
    package init(
        weights: Tensor,
        bias: Tensor,
        geometry: ConvolutionGeometry,
        activation: Activation,
        source: (shape: [Int], scale: ByteScale),
        output: ByteScale?,
        addend: ByteScale?,
        cell: Int = 0
    ) {
        precondition(cell == 0 || output == nil, "cells of bytes")
        let (height, width, channels) = (source.shape[0], source.shape[1], source.shape[2])
        precondition(weights.shape[3] == channels, "\(weights.shape) do not fit \(source.shape)")
        sourceShape = source.shape
        outputShape = [
            geometry.outputLength(height, kernel: weights.shape[1]),
            geometry.outputLength(width, kernel: weights.shape[2]), weights.shape[0],
        ]
        weightsShape = weights.shape
        self.geometry = geometry
        writesFloats = output == nil
        let definition = ByteKernelDefinition(
            weights: weights,
            weightScales: Self.channelScales(of: weights),
            bias: bias,
            geometry: geometry,
            activation: activation,
            sourceShape: source.shape,
            outputShape: outputShape,
            source: source.scale,
            output: output,
            addend: addend,
            cell: cell
        )
        let direct = DirectByteKernel(definition)
        kernel = direct ?? LibraryByteKernel(definition)
        self.cell = cell
        makesCells = direct != nil
    }

    /// Convolves bytes into bytes; what lies in the output is added first if it was made so.
    package func callAsFunction(_ source: ByteImage, into output: ByteImage) {
        precondition(!writesFloats && source.shape == sourceShape && output.shape == outputShape)
        unsafe run(source, UnsafeMutableRawPointer(output.pointer))
    }

    /// Convolves bytes into float32: 1 x H x W x O, or 1 x (cell H) x (cell W) x (O / cell / cell).
    package func callAsFunction(_ source: ByteImage) -> Tensor {
        precondition(writesFloats && source.shape == sourceShape)
        guard cell > 0, makesCells else {
            let result = Tensor(uninitialized: [1] + outputShape)
            unsafe run(source, UnsafeMutableRawPointer(result.storage.pointer))
            return cell > 0 ? Variable(constant: result).depthToSpace(cell).value : result
        }
        let (height, width) = (cell * outputShape[0], cell * outputShape[1])
        let result = Tensor(uninitialized: [1, height, width, outputShape[2] / (cell * cell)])
        unsafe run(source, UnsafeMutableRawPointer(result.storage.pointer))
        return result
    }

    private func run(_ source: ByteImage, _ output: UnsafeMutableRawPointer) {
        let operations = 2 * Double(outputShape.reduce(1, *)) * Double(weightsShape.dropFirst().reduce(1, *))
        let kind = KernelTimes.Kind.convolution(
            images: [1] + sourceShape,
            weights: weightsShape,
            geometry,
            .int8
        )
        KernelTimes.measure(kind, operations: operations) { unsafe kernel.run(source.pointer, output) }
    }

    /// Largest byte of a weight.
    ///
    /// CPUs without VNNI add two products of an unsigned and a signed byte in 16 bits, which
    /// larger weights could overflow: 2 * 255 * 64 does not.
    private static let largestWeight: Float = 64

    /// For a channel whose weights are all but zero: its bias in units of the products stays finite.
    private static let smallestScale: Float = 1e-12

    private static func channelScales(of weights: Tensor) -> [Float] {
        let perChannel = weights.count / weights.shape[0]
        return weights.withSpan { span in
            (0..<weights.shape[0]).map { channel in
                var largest: Float = 0
                for i in channel * perChannel..<(channel + 1) * perChannel {
                    largest = max(largest, abs(span[i]))
                }
                return max(largest / largestWeight, smallestScale)
            }
        }
    }
}
