import CKernels
import Tensors
import TestSupport
import Testing

private let fits = aqc_winograd_fits(
    aqc_winograd_shape(batch: 1, height: 8, width: 8, inputs: 128, outputs: 128)
)

/// Convolutions by minimal filtering beside the definition.
@Suite(.enabled(if: fits, "this CPU has no AVX-512"))
struct WinogradTests {
    /// Whole squares; squares that are cut off, and more than one block of them; one channel count above the other.
    static let shapes = [
        ConvolutionCase(1, 8, 8, 128, 128, k: 3, s: 1, p: 1),
        ConvolutionCase(3, 15, 18, 128, 160, k: 3, s: 1, p: 1),
        ConvolutionCase(1, 11, 24, 256, 128, k: 3, s: 1, p: 1),
    ]

    private struct Sample {
        let x, w, bias, upstream: [Float]
        let shape: ConvolutionCase

        init(_ shape: ConvolutionCase) {
            var random = TestGenerator(seed: 3)
            self.shape = shape
            x = random.floats(shape.source.reduce(1, *))
            w = random.floats(shape.weights.reduce(1, *))
            bias = random.floats(shape.outputs)
            upstream = random.floats(shape.batch * shape.height * shape.width * shape.outputs)
        }

        /// The result and the gradients of images, weights and bias.
        func run(threads: Int = 2) -> [[Float]] {
            let before = Compute.threads
            Compute.setThreads(threads)
            defer { Compute.setThreads(before) }
            let inputs = [(x, shape.source), (w, shape.weights), (bias, [shape.outputs])]
                .map { Variable(parameter: Tensor($0, shape: $1)) }
            let y = inputs[0].convolution(weights: inputs[1], bias: inputs[2], geometry: shape.geometry)
            let cost = (y * Variable(constant: Tensor(upstream, shape: y.shape))).sum()
            return [y.value.values] + gradients(of: cost, with: inputs).map(\.value.values)
        }
    }

    @Test(arguments: shapes)
    func agreesWithTheDefinition(shape: ConvolutionCase) {
        let sample = Sample(shape)
        let expected = shape.reference(sample.x, sample.w, bias: sample.bias)
        #expect(relativeError(sample.run()[0], expected) < 1e-5)
    }

    @Test(arguments: shapes)
    func gradientsAgreeWithTheLibrary(shape: ConvolutionCase) {
        let sample = Sample(shape)
        let library = Compute.withLibraryConvolutions { sample.run() }
        for (own, other) in zip(sample.run(), library) {
            #expect(own != other || own.count == shape.outputs, "the library's own convolution ran twice")
            #expect(relativeError(own, other) < 2e-5)
        }
    }

    @Test
    func addsInTheSameKernelWhereNothingIsRecorded() {
        let (shape, sample) = (Self.shapes[1], Sample(Self.shapes[1]))
        let result = Recording.off {
            Variable(constant: Tensor(sample.x, shape: shape.source)).convolution(
                weights: Variable(constant: Tensor(sample.w, shape: shape.weights)),
                bias: Variable(constant: Tensor(sample.bias, shape: [shape.outputs])),
                geometry: shape.geometry,
                adding: Variable(
                    constant: Tensor(
                        sample.upstream,
                        shape: [shape.batch, shape.height, shape.width, shape.outputs]
                    )
                )
            )
        }
        let plain = shape.reference(sample.x, sample.w, bias: sample.bias)
        #expect(relativeError(result.value.values, zip(plain, sample.upstream).map { $0 + $1 }) < 1e-5)
    }

    @Test
    func sumsAreTheSameOnAnyNumberOfThreads() {
        let sample = Sample(Self.shapes[1])
        #expect(sample.run(threads: 1) == sample.run(threads: 3))
    }
}
