import Foundation
import Tensors
import TestSupport
import Testing

struct BatchNormalisationTests {
    static let shapes = [[1, 1, 2, 1], [2, 3, 5, 4], [3, 7, 1, 17], [2, 16, 16, 64]]

    private func constant(_ values: [Float], _ shape: [Int]) -> Variable {
        Variable(constant: Tensor(values, shape: shape))
    }

    /// The definition, in double: each channel's values, mean and variance.
    private func reference(
        _ x: [Float],
        channels: Int,
        scale: [Float],
        shift: [Float],
        epsilon: Double
    ) -> (output: [Float], mean: [Float], variance: [Float]) {
        var (output, means, variances) = (x, [Float](), [Float]())
        for c in 0..<channels {
            let values = stride(from: c, to: x.count, by: channels).map { Double(x[$0]) }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            for (index, value) in values.enumerated() {
                let normal = (value - mean) / (variance + epsilon).squareRoot()
                output[index * channels + c] = Float(normal * Double(scale[c]) + Double(shift[c]))
            }
            means.append(Float(mean))
            variances.append(Float(variance))
        }
        return (output, means, variances)
    }

    @Test(arguments: shapes)
    func agreesWithTheDefinition(shape: [Int]) {
        var random = TestGenerator(seed: 1)
        let channels = shape[3]
        let x = random.floats(shape.reduce(1, *), in: 2...5)
        let (scale, shift) = (random.floats(channels), random.floats(channels))
        let expected = reference(x, channels: channels, scale: scale, shift: shift, epsilon: 0.01)
        let image = constant(x, shape)
        let found = image.normalisedByBatch(
            scale: constant(scale, [channels]),
            shift: constant(shift, [channels]),
            epsilon: 0.01
        )
        #expect(relativeError(found.output.value.values, expected.output) < 1e-5)
        #expect(relativeError(found.mean.values, expected.mean) < 1e-6)
        #expect(relativeError(found.variance.values, expected.variance) < 1e-5)

        let given = image.normalised(
            mean: constant(expected.mean, [channels]),
            variance: constant(expected.variance, [channels]),
            scale: constant(scale, [channels]),
            shift: constant(shift, [channels]),
            epsilon: 0.01
        )
        #expect(relativeError(given.value.values, expected.output) < 1e-5)
    }

    @Test(arguments: shapes)
    func channelProductsAgreeWithTheirDefinitions(shape: [Int]) {
        var random = TestGenerator(seed: 2)
        let (channels, size) = (shape[3], shape[1] * shape[2] * shape[3])
        let (a, b) = (random.floats(shape[0] * size), random.floats(shape[0] * size))
        let (scale, shift) = (random.floats(shape[0] * channels), random.floats(shape[0] * channels))
        let place = { (index: Int) in index / size * channels + index % channels }
        let image = constant(a, shape)
        let factor = constant(scale, [shape[0], channels])
        let scaled = a.indices.map { a[$0] * scale[place($0)] }
        #expect(relativeError(image.scalingChannels(factor).value.values, scaled) < 1e-6)
        let moved = image.scalingChannels(factor, adding: constant(shift, [shape[0], channels]))
        let both = scaled.indices.map { scaled[$0] + shift[place($0)] }
        #expect(relativeError(moved.value.values, both) < 1e-6)
        var sums = [Double](repeating: 0, count: shape[0] * channels)
        for index in a.indices { sums[place(index)] += Double(a[index]) * Double(b[index]) }
        let found = image.dotOverPixels(constant(b, shape)).value.values
        #expect(relativeError(found, sums.map { Float($0) }) < 1e-5)
    }

    static let functions: [(name: String, apply: @Sendable (Variable) -> Variable)] = [
        ("tanh", { $0.tanh() }),
        (
            "scaled channels",
            { x in
                let image = x.reshaped([2, 2, 2, 3])
                let channels = image.sumOverPixels().tanh()
                return image.scalingChannels(channels, adding: channels * channels).reshaped([24])
            }
        ),
        (
            "dot product",
            { x in
                let image = x.reshaped([2, 2, 2, 3])
                let products = image.dotOverPixels(image.tanh()) + image.dotOverPixels(image)
                return products.spreadOverPixels(height: 2, width: 2).reshaped([24])
            }
        ),
        (
            "batch normalisation",
            { x in
                let channels = x.reshaped([1, 4, 2, 3]).sumOverPixels().reshaped([3])
                return x.reshaped([2, 2, 2, 3]).normalisedByBatch(
                    scale: channels.tanh(),
                    shift: channels,
                    epsilon: 0.1
                ).output.leakyReLU(slope: 0.2).reshaped([24])
            }
        ),
        (
            "given statistics",
            { x in
                let channels = x.reshaped([1, 4, 2, 3]).sumOverPixels().reshaped([3])
                return x.reshaped([2, 2, 2, 3]).normalised(
                    mean: channels,
                    variance: channels * channels,
                    scale: channels.tanh(),
                    shift: channels,
                    epsilon: 0.5
                ).reshaped([24])
            }
        ),
    ]

    /// First and second derivatives of each function, the second through a differentiable first one.
    @Test(arguments: functions.indices)
    func gradientsAndTheirGradientsAgreeWithFiniteDifferences(index: Int) {
        let (name, function) = Self.functions[index]
        var random = TestGenerator(seed: 12)
        let point = random.floats(24)
        expectTwiceDifferentiable(name, at: point, weights: random.floats(24), step: 2e-3, function)
    }

    @Test func gradientsOfFrozenWeightsAreNotComputed() {
        var random = TestGenerator(seed: 13)
        let frozen = Variable(parameter: Tensor(random.floats(9), shape: [3, 3]))
        let x = Variable(parameter: Tensor(random.floats(6), shape: [2, 3]))
        var asked: [Bool] = []
        let hidden = x.multiplied(by: frozen)
        let watched = Variable(value: hidden.value, inputs: [hidden, frozen]) { upstream in
            asked = [hidden.wantsGradient, frozen.wantsGradient]
            return [upstream, nil]
        }
        let found = gradients(of: (watched * watched).sum(), with: [x])
        #expect(asked == [true, false])
        #expect(found[0].value.values.contains { $0 != 0 })
    }
}
