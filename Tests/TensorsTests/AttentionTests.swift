import Foundation
import Tensors
import TestSupport
import Testing

/// Queries, keys and values: batch, tokens, channels, channels of a head.
struct AttentionCase: CustomTestStringConvertible, Sendable {
    let batch, tokens, channels, head: Int

    var testDescription: String { "\(batch) x \(tokens) x \(channels) in heads of \(head)" }
    var shape: [Int] { [batch, tokens, 3 * channels] }

    static let all = [
        AttentionCase(batch: 1, tokens: 1, channels: 2, head: 2),
        AttentionCase(batch: 2, tokens: 7, channels: 6, head: 3),
        AttentionCase(batch: 1, tokens: 150, channels: 4, head: 2),
    ]

    /// The definition, in double.
    func reference(_ x: [Float]) -> [Float] {
        var result: [Float] = []
        for image in 0..<batch {
            func at(_ token: Int, _ channel: Int) -> Double {
                Double(x[(image * tokens + token) * 3 * channels + channel])
            }
            for query in 0..<tokens {
                for channel in 0..<channels {
                    let first = channel / head * head
                    let scores = (0..<tokens).map { key in
                        (first..<first + head).reduce(0.0) { $0 + at(query, $1) * at(key, channels + $1) }
                    }
                    let shares = scores.map { exp($0 / Double(head).squareRoot()) }
                    let sum = shares.reduce(0, +)
                    let value = (0..<tokens).reduce(0.0) { $0 + shares[$1] * at($1, 2 * channels + channel) }
                    result.append(Float(value / sum))
                }
            }
        }
        return result
    }
}

struct AttentionTests {
    @Test(arguments: AttentionCase.all)
    func agreesWithTheDefinition(shape: AttentionCase) {
        var random = TestGenerator(seed: 31)
        let x = random.floats(shape.shape.reduce(1, *), in: -2...2)
        let found = Variable(constant: Tensor(x, shape: shape.shape)).selfAttention(headChannels: shape.head)
        #expect(found.shape == [shape.batch, shape.tokens, shape.channels])
        #expect(relativeError(found.value.values, shape.reference(x)) < 1e-5)
    }

    @Test(arguments: AttentionCase.all.dropFirst())
    func gradientsAgreeWithFiniteDifferences(shape: AttentionCase) {
        var random = TestGenerator(seed: 32)
        let point = random.floats(shape.shape.reduce(1, *), in: -2...2)
        let size = [shape.batch, shape.tokens, shape.channels]
        let upstream = Tensor(random.floats(size.reduce(1, *)), shape: size)
        let x = Variable(parameter: Tensor(point, shape: shape.shape))
        let loss = (x.selfAttention(headChannels: shape.head) * Variable(constant: upstream)).sum()
        let found = gradients(of: loss, with: [x])[0].value.values
        let again = gradients(of: loss, with: [x], differentiable: true)[0].value.values
        let some = Array(stride(from: 0, to: point.count, by: max(point.count / 11, 1)))
        let expected = finiteDifferences(at: point, coordinates: some) { moved in
            zip(shape.reference(moved), upstream.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        #expect(relativeError(some.map { found[$0] }, expected) < 1e-2)
        #expect(relativeError(again, found) < 1e-4)
    }

    @Test func channelsComeApartAsTheyWereJoined() {
        let a = Variable(parameter: Tensor((0..<6).map { Float($0) }, shape: [1, 1, 3, 2]))
        let b = Variable(parameter: Tensor([10, 11, 12], shape: [1, 1, 3, 1]))
        let both = a.concatenatingChannels(of: b)
        #expect(both.value.values == [0, 1, 10, 2, 3, 11, 4, 5, 12])
        #expect(both.channels(1..<3).value.values == [1, 10, 3, 11, 5, 12])
        let weights = Variable(constant: Tensor((1...9).map { Float($0) }, shape: [1, 1, 3, 3]))
        let slopes = gradients(of: (both * weights).sum(), with: [a, b])
        #expect(slopes[0].value.values == [1, 2, 4, 5, 7, 8])
        #expect(slopes[1].value.values == [3, 6, 9])
    }
}
