import Foundation
import Tensors
import TestSupport
import Testing

/// Images to normalise: batch, height, width, channels, groups.
struct NormalisationCase: CustomTestStringConvertible, Sendable {
    let shape: [Int]
    let groups: Int
    let silu: Bool
    let modulated: Bool

    var testDescription: String { "\(shape) in \(groups) groups, silu \(silu), modulated \(modulated)" }
    var channels: Int { shape[3] }

    static let all = [
        NormalisationCase(shape: [1, 1, 1, 4], groups: 2, silu: false, modulated: false),
        NormalisationCase(shape: [2, 3, 5, 6], groups: 3, silu: true, modulated: true),
        NormalisationCase(shape: [1, 13, 11, 8], groups: 8, silu: true, modulated: false),
        NormalisationCase(shape: [3, 9, 8, 32], groups: 32, silu: false, modulated: true),
        NormalisationCase(shape: [1, 40, 37, 5], groups: 1, silu: true, modulated: true),
    ]

    /// The definition, in double.
    func reference(_ x: [Float], _ weights: [Float], _ bias: [Float], _ modulation: [Float]) -> [Float] {
        let (pixels, width) = (shape[1] * shape[2], channels / groups)
        var result = [Float](repeating: 0, count: x.count)
        for image in 0..<shape[0] {
            for group in 0..<groups {
                let members = (0..<pixels).flatMap { pixel in
                    (group * width..<(group + 1) * width).map { (image * pixels + pixel) * channels + $0 }
                }
                let mean = members.reduce(0.0) { $0 + Double(x[$1]) } / Double(members.count)
                let squares = members.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) }
                let rate = 1 / (squares / Double(members.count) + 1e-5).squareRoot()
                for index in members {
                    let c = index % channels
                    var value = (Double(x[index]) - mean) * rate * Double(weights[c]) + Double(bias[c])
                    if modulated {
                        let row = image * 2 * channels
                        value =
                            value * (1 + Double(modulation[row + c])) + Double(modulation[row + channels + c])
                    }
                    result[index] = Float(silu ? value / (1 + exp(-value)) : value)
                }
            }
        }
        return result
    }
}

struct NormalisationTests {
    private func inputs(_ shape: NormalisationCase, random: inout TestGenerator) -> [[Float]] {
        [
            random.floats(shape.shape.reduce(1, *), in: -2...3), random.floats(shape.channels, in: 0.5...1.5),
            random.floats(shape.channels), random.floats(shape.shape[0] * 2 * shape.channels, in: -0.5...0.5),
        ]
    }

    private func variables(_ shape: NormalisationCase, _ values: [[Float]]) -> [Variable] {
        let shapes = [shape.shape, [shape.channels], [shape.channels], [shape.shape[0], 2 * shape.channels]]
        return zip(values, shapes).map { Variable(parameter: Tensor($0, shape: $1)) }
    }

    private func normalised(_ shape: NormalisationCase, _ inputs: [Variable]) -> Variable {
        inputs[0].groupNormalised(
            GroupNormalisation(groups: shape.groups, silu: shape.silu),
            weights: inputs[1],
            bias: inputs[2],
            modulation: shape.modulated ? inputs[3] : nil
        )
    }

    @Test(arguments: NormalisationCase.all)
    func agreesWithTheDefinition(shape: NormalisationCase) {
        var random = TestGenerator(seed: 21)
        let values = inputs(shape, random: &random)
        let found = normalised(shape, variables(shape, values)).value.values
        let expected = shape.reference(values[0], values[1], values[2], values[3])
        #expect(relativeError(found, expected) < 2e-6)
    }

    /// A bright image with a faint texture: the variance must not drown in the square of the mean.
    @Test func keepsATextureOnALargeMean() {
        let shape = NormalisationCase(shape: [1, 32, 32, 2], groups: 1, silu: false, modulated: false)
        var random = TestGenerator(seed: 22)
        var values = inputs(shape, random: &random)
        values[0] = values[0].map { 4096 + 0.5 * ($0 * 4).rounded() }
        let found = normalised(shape, variables(shape, values)).value.values
        let expected = shape.reference(values[0], values[1], values[2], values[3])
        #expect(relativeError(found, expected) < 1e-3)
    }

    @Test(arguments: NormalisationCase.all.dropFirst())
    func gradientsAgreeWithFiniteDifferences(shape: NormalisationCase) {
        var random = TestGenerator(seed: 23)
        let points = inputs(shape, random: &random)
        let upstream = Tensor(random.floats(points[0].count), shape: shape.shape)
        func loss(_ values: [[Float]]) -> (Variable, [Variable]) {
            let inputs = variables(shape, values)
            return ((normalised(shape, inputs) * Variable(constant: upstream)).sum(), inputs)
        }
        let (value, inputs) = loss(points)
        let used = shape.modulated ? 4 : 3
        let found = gradients(of: value, with: Array(inputs.prefix(used)))
        // The same through plain operations, which is what a differentiable gradient takes.
        let again = gradients(of: value, with: Array(inputs.prefix(used)), differentiable: true)
        for index in 0..<used {
            let some = Array(stride(from: 0, to: points[index].count, by: max(points[index].count / 6, 1)))
            let expected = finiteDifferences(at: points[index], coordinates: some) { moved in
                var values = points
                values[index] = moved
                // In double from the definition, so that only the step's own error is left.
                let y = shape.reference(values[0], values[1], values[2], values[3])
                return zip(y, upstream.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            let values = found[index].value.values
            #expect(relativeError(some.map { values[$0] }, expected) < 1e-2, "input \(index)")
            #expect(relativeError(again[index].value.values, values) < 1e-4, "input \(index)")
        }
    }
}
