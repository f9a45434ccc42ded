import CKernels
import COneDNN

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
    private let shuffle: Int
    /// Whether the kernel itself shuffles the channels into pixels.
    private let kernelShuffles: Bool

    /// Rounds the weights, O x KH x KW x I.
    ///
    /// `output` is the scale of the result; `nil` leaves float32. `addend` is the scale of what lies in the output before
    /// and is added; `nil` for nothing. With a `shuffle`, the channels of a float32 result become squares of so many pixels a
    /// side (`Variable.pixelShuffled`). Runs on the lane that it is made on.
    package init(
        weights: Tensor,
        bias: Tensor,
        geometry: ConvolutionGeometry,
        activation: Activation,
        source: (shape: [Int], scale: ByteScale),
        output: ByteScale?,
        addend: ByteScale?,
        shuffle: Int = 0
    ) {
        precondition(shuffle == 0 || output == nil, "a pixel shuffle of bytes")
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
            shuffle: shuffle
        )
        let direct = DirectByteKernel(definition)
        kernel = direct ?? LibraryByteKernel(definition)
        self.shuffle = shuffle
        kernelShuffles = direct != nil
    }

    /// Convolves bytes into bytes; what lies in the output is added first if it was made so.
    package func callAsFunction(_ source: ByteImage, into output: ByteImage) {
        precondition(!writesFloats && source.shape == sourceShape && output.shape == outputShape)
        unsafe run(source, UnsafeMutableRawPointer(output.pointer))
    }

    /// Convolves bytes into float32: 1 x H x W x O, or 1 x (shuffle H) x (shuffle W) x (O / shuffle / shuffle).
    package func callAsFunction(_ source: ByteImage) -> Tensor {
        precondition(writesFloats && source.shape == sourceShape)
        guard shuffle > 0, kernelShuffles else {
            let result = Tensor(uninitialized: [1] + outputShape)
            unsafe run(source, UnsafeMutableRawPointer(result.storage.pointer))
            return shuffle > 0 ? Variable(constant: result).pixelShuffled(shuffle).value : result
        }
        let (height, width) = (shuffle * outputShape[0], shuffle * outputShape[1])
        let result = Tensor(uninitialized: [1, height, width, outputShape[2] / (shuffle * shuffle)])
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

/// What computes a convolution of bytes.
protocol ByteKernel {
    /// Reads the whole source and writes the whole result.
    func run(_ source: UnsafePointer<UInt8>, _ output: UnsafeMutableRawPointer)
}

/// What a convolution of bytes is to do, for whoever computes it; see `QuantisedConvolution`.
struct ByteKernelDefinition {
    /// O x KH x KW x I.
    let weights: Tensor
    /// What one step of a weight's byte means, by output channel.
    let weightScales: [Float]
    let bias: Tensor
    let geometry: ConvolutionGeometry
    let activation: Activation
    /// Height, width, channels.
    let sourceShape: [Int]
    let outputShape: [Int]
    let source: ByteScale
    /// `nil` leaves float32.
    let output: ByteScale?
    /// `nil` adds nothing.
    let addend: ByteScale?
    /// Side of the squares of pixels that the channels of a float32 result become; 0 leaves them channels.
    let shuffle: Int
}

/// A convolution of bytes by this package's own kernel; `nil` where there is none (`DirectConvolution`).
@safe final class DirectByteKernel: ByteKernel {
    private let handle: OpaquePointer

    init?(_ given: ByteKernelDefinition) {
        let shape = DirectConvolution.shape(
            source: given.sourceShape,
            weights: given.weights.shape,
            given.geometry,
            pixels: .init(shuffle: given.shuffle)
        )
        // A result in float32 has nothing to add to: its memory is new.
        guard let shape, aqc_direct_bytes_fits(shape) != 0, given.output != nil || given.addend == nil else {
            return nil
        }
        // The zero of the addend is part of the bias.
        let (step, zero) = (given.addend?.step ?? 0, Float(given.addend?.zero ?? 0))
        let bias = given.bias.values.map { $0 - step * zero }
        let finish = aqc_direct_finish(
            silu: given.activation == .silu ? 1 : 0,
            to_float: given.output == nil ? 1 : 0,
            addend_step: step,
            unit: given.output.map { 1 / $0.step } ?? 1,
            zero: Float(given.output?.zero ?? 0)
        )
        let made = unsafe aqc_direct_bytes_make(
            shape,
            given.weights.storage.pointer,
            given.weightScales,
            bias,
            given.source.step,
            given.source.zero,
            finish
        )
        guard let made = unsafe made else { fatalError("no memory for the weights of a convolution") }
        unsafe handle = made
    }

    deinit { unsafe aqc_direct_bytes_free(handle) }

    func run(_ source: UnsafePointer<UInt8>, _ output: UnsafeMutableRawPointer) {
        unsafe aqc_direct_bytes_run(handle, source, output)
    }
}

/// A convolution of bytes by oneDNN, on the lane that it was made on.
@safe final class LibraryByteKernel: ByteKernel {
    private let handle: UnsafeMutablePointer<aqc_quantised>
    private let engine: ComputeEngine

    init(_ given: ByteKernelDefinition) {
        engine = ComputeEngine.current
        let made = engine.withHandles { handles in
            unsafe given.weightScales.withUnsafeBufferPointer { scales in
                var status = dnnl_success
                let meaning = unsafe aqc_scales(
                    source: aqc_byte_scale(given.source),
                    destination: aqc_byte_scale(given.output),
                    addend: aqc_byte_scale(given.addend),
                    weights: scales.baseAddress,
                    to_float: given.output == nil
                )
                let made = unsafe aqc_quantised_make(
                    handles.engine,
                    handles.stream,
                    given.shape,
                    meaning,
                    given.activation == .silu ? aqc_swish : aqc_identity,
                    given.weights.storage.pointer,
                    given.bias.storage.pointer,
                    &status
                )
                return unsafe Made(handle: made, status: status)
            }
        }
        guard let handle = unsafe made.handle else {
            // Shapes come from a checked architecture; a refusal here is a programmer's mistake.
            fatalError(
                "oneDNN has no convolution of bytes for \(given.shape): status \(made.status.rawValue)"
            )
        }
        unsafe self.handle = handle
    }

    /// What making it gave, on its way out of the engine's lock.
    @safe private struct Made: @unchecked Sendable {
        let handle: UnsafeMutablePointer<aqc_quantised>?
        let status: dnnl_status_t
    }

    deinit { unsafe aqc_quantised_free(handle) }

    func run(_ source: UnsafePointer<UInt8>, _ output: UnsafeMutableRawPointer) {
        let buffers = unsafe Buffers(source: source, output: output)
        let status = engine.withHandles { handles in
            unsafe aqc_quantised_run(handle, handles.stream, buffers.source, buffers.output)
        }
        precondition(status == dnnl_success, "oneDNN failed on bytes: status \(status.rawValue)")
    }

    /// Memory on its way into the engine's lock.
    @safe private struct Buffers: @unchecked Sendable {
        let source: UnsafePointer<UInt8>
        let output: UnsafeMutableRawPointer
    }
}

extension ByteKernelDefinition {
    fileprivate var shape: aqc_convolution_shape {
        aqc_convolution_shape(images: [1] + sourceShape, weights: weights.shape, geometry)
    }
}

extension aqc_byte_scale {
    /// The same for C; a step of 0 where there is none.
    fileprivate init(_ scale: ByteScale?) { self.init(step: scale?.step ?? 0, zero: scale?.zero ?? 0) }
}
