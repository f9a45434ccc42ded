import Tensors
import TestSupport
import Testing

/// A shape to try: batch, height, width, input channels, output channels, kernel, stride, padding.
struct ConvolutionCase: CustomTestStringConvertible, Sendable {
    let batch, height, width, inputs, outputs, kernel, stride, padding: Int

    init(_ n: Int, _ h: Int, _ w: Int, _ i: Int, _ o: Int, k: Int, s: Int, p: Int) {
        (batch, height, width, inputs, outputs, kernel, stride, padding) = (n, h, w, i, o, k, s, p)
    }

    var testDescription: String {
        "\(batch)x\(height)x\(width)x\(inputs) to \(outputs), kernel \(kernel), stride \(stride), padding \(padding)"
    }
    var geometry: ConvolutionGeometry { ConvolutionGeometry(stride: stride, padding: padding) }
    var source: [Int] { [batch, height, width, inputs] }
    var weights: [Int] { [outputs, kernel, kernel, inputs] }

    static let all = [
        ConvolutionCase(1, 1, 1, 1, 1, k: 1, s: 1, p: 0), ConvolutionCase(2, 7, 5, 3, 4, k: 3, s: 1, p: 1),
        ConvolutionCase(1, 8, 6, 16, 24, k: 3, s: 2, p: 1), ConvolutionCase(3, 5, 9, 8, 8, k: 1, s: 1, p: 0),
        ConvolutionCase(1, 11, 13, 1, 8, k: 5, s: 1, p: 2), ConvolutionCase(2, 6, 6, 17, 5, k: 3, s: 1, p: 0),
        ConvolutionCase(1, 9, 7, 32, 32, k: 3, s: 2, p: 1),
    ]

    /// The definition, in double.
    func reference(_ x: [Float], _ w: [Float], bias: [Float]) -> [Float] {
        let rows = (height + 2 * padding - kernel) / stride + 1
        let columns = (width + 2 * padding - kernel) / stride + 1
        var result: [Float] = []
        for n in 0..<batch {
            for row in 0..<rows {
                for column in 0..<columns {
                    for o in 0..<outputs {
                        var sum = Double(bias[o])
                        for i in 0..<kernel * kernel {
                            let (y, z) = (
                                row * stride + i / kernel - padding, column * stride + i % kernel - padding
                            )
                            guard (0..<height).contains(y), (0..<width).contains(z) else { continue }
                            for c in 0..<inputs {
                                let pixel = x[((n * height + y) * width + z) * inputs + c]
                                sum += Double(pixel) * Double(w[(o * kernel * kernel + i) * inputs + c])
                            }
                        }
                        result.append(Float(sum))
                    }
                }
            }
        }
        return result
    }
}

struct ConvolutionTests {
    @Test(
        .enabled(if: Precision.bfloat16.isSupported, "this CPU does not multiply bfloat16"),
        arguments: ConvolutionCase.all
    )
    func bfloat16AgreesWithTheDefinition(shape: ConvolutionCase) {
        var random = TestGenerator(seed: 1)
        let x = random.floats(shape.source.reduce(1, *))
        let w = random.floats(shape.weights.reduce(1, *))
        let bias = random.floats(shape.outputs)
        let result = Precision.bfloat16.run {
            Recording.off {
                Variable(constant: Tensor(x, shape: shape.source)).convolution(
                    weights: Variable(constant: Tensor(w, shape: shape.weights)),
                    bias: Variable(constant: Tensor(bias, shape: [shape.outputs])),
                    geometry: shape.geometry
                )
            }
        }
        // Both factors are rounded to eight bits: 2^-9 each at most.
        #expect(relativeError(result.value.values, shape.reference(x, w, bias: bias)) < 0x1p-8)
    }

    @Test(arguments: ConvolutionCase.all)
    func agreesWithTheDefinition(shape: ConvolutionCase) {
        var random = TestGenerator(seed: 1)
        let x = random.floats(shape.source.reduce(1, *))
        let w = random.floats(shape.weights.reduce(1, *))
        let b = random.floats(shape.outputs)
        let expected = shape.reference(x, w, bias: b)
        let image = Variable(constant: Tensor(x, shape: shape.source))
        let plain = image.convolution(
            weights: Variable(parameter: Tensor(w, shape: shape.weights)),
            bias: Variable(parameter: Tensor(b, shape: [shape.outputs])),
            geometry: shape.geometry
        )
        #expect(relativeError(plain.value.values, expected) < 1e-5)

        let addend = random.floats(expected.count)
        let fused = image.convolution(
            weights: Variable(constant: Tensor(w, shape: shape.weights)),
            bias: Variable(constant: Tensor(b, shape: [shape.outputs])),
            geometry: shape.geometry,
            adding: Variable(constant: Tensor(addend, shape: plain.shape)),
            activation: .silu
        )
        let sum = zip(expected, addend).map { $0 + $1 }
        let activated = Variable(constant: Tensor(sum, shape: plain.shape)).silu().value.values
        #expect(relativeError(fused.value.values, activated) < 1e-4)
    }

    @Test(arguments: ConvolutionCase.all)
    func gradientsAgreeWithFiniteDifferences(shape: ConvolutionCase) {
        var random = TestGenerator(seed: 2)
        let x = random.floats(shape.source.reduce(1, *))
        let w = random.floats(shape.weights.reduce(1, *))
        let b = random.floats(shape.outputs)
        func loss(_ x: [Float], _ w: [Float], _ b: [Float]) -> (Variable, [Variable]) {
            let inputs = [
                Variable(parameter: Tensor(x, shape: shape.source)),
                Variable(parameter: Tensor(w, shape: shape.weights)),
                Variable(parameter: Tensor(b, shape: [shape.outputs])),
            ]
            let y = inputs[0].convolution(
                weights: inputs[1],
                bias: inputs[2],
                geometry: shape.geometry,
                activation: .silu
            )
            return ((y * y).mean(), inputs)
        }
        let (value, inputs) = loss(x, w, b)
        let found = gradients(of: value, with: inputs)
        for (index, point) in [x, w, b].enumerated() {
            let some = Array(stride(from: 0, to: point.count, by: max(point.count / 7, 1)))
            let expected = finiteDifferences(at: point, coordinates: some) { moved in
                var points = [x, w, b]
                points[index] = moved
                return Double(loss(points[0], points[1], points[2]).0.value.scalar)
            }
            let values = found[index].value.values
            #expect(relativeError(some.map { values[$0] }, expected) < 1e-2, "input \(index)")
        }
    }

    /// The penalty of a Wasserstein GAN: the gradient of a gradient's norm through convolutions and activations.
    @Test func gradientsOfGradientsAgreeWithFiniteDifferences() {
        var random = TestGenerator(seed: 3)
        let image = Tensor(random.floats(2 * 8 * 8 * 2), shape: [2, 8, 8, 2])
        let first = random.floats(6 * 9 * 2, in: -0.4...0.4)
        let second = random.floats(4 * 9 * 6, in: -0.4...0.4)
        let last = Variable(constant: Tensor(random.floats(4 * 4 * 4), shape: [1, 4 * 4 * 4]))
        func penalty(_ first: [Float], _ second: [Float]) -> (Variable, [Variable]) {
            let weights = [
                Variable(parameter: Tensor(first, shape: [6, 3, 3, 2])),
                Variable(parameter: Tensor(second, shape: [4, 3, 3, 6])),
            ]
            let x = Variable(parameter: image)
            let hidden = x.convolution(
                weights: weights[0],
                geometry: ConvolutionGeometry(stride: 1, padding: 1),
                activation: .silu
            )
            let features = hidden.convolution(
                weights: weights[1],
                geometry: ConvolutionGeometry(stride: 2, padding: 1)
            ).silu()
            let critic = features.reshaped([2, 64]).multiplied(by: last, transposingRight: true).sum()
            let slope = gradients(of: critic, with: [x], differentiable: true)[0]
            let norms = (slope * slope).sumOverPixels().affine(scale: 1, shift: 1e-12).power(0.5)
            let excess = norms.affine(scale: 1, shift: -1)
            return ((excess * excess).mean(), weights)
        }
        let (value, weights) = penalty(first, second)
        let found = gradients(of: value, with: weights)
        for (index, point) in [first, second].enumerated() {
            let some = Array(stride(from: 0, to: point.count, by: 11))
            let expected = finiteDifferences(at: point, coordinates: some, step: 2e-3) { moved in
                let points = index == 0 ? (moved, second) : (first, moved)
                return Double(penalty(points.0, points.1).0.value.scalar)
            }
            let values = found[index].value.values
            #expect(relativeError(some.map { values[$0] }, expected) < 2e-2, "weights \(index)")
        }
    }
}
