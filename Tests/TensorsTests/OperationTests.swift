import Foundation
import Tensors
import TestSupport
import Testing

struct OperationTests {
    static let counts = [1, 7, 64, 16385, 40_001]

    @Test(arguments: counts)
    func elementwiseKernelsAgreeWithTheirDefinitions(count: Int) {
        var random = TestGenerator(seed: UInt64(count))
        let a = random.floats(count, in: -12...12)
        let b = random.floats(count)
        let x = Variable(constant: Tensor(a, shape: [count]))
        let y = Variable(constant: Tensor(b, shape: [count]))
        let sigmoid = a.map { Float(1 / (1 + exp(-Double($0)))) }
        #expect((x + y).value.values == zip(a, b).map { $0 + $1 })
        #expect((x * y).value.values == zip(a, b).map { $0 * $1 })
        #expect(relativeError((x - y).value.values, zip(a, b).map { $0 - $1 }) < 1e-6)
        #expect(relativeError(x.affine(scale: 3, shift: -1).value.values, a.map { 3 * $0 - 1 }) < 1e-6)
        #expect(relativeError(x.sigmoid().value.values, sigmoid) < 2e-6)
        #expect(relativeError(x.silu().value.values, zip(a, sigmoid).map { $0 * $1 }) < 2e-6)
        #expect(x.leakyReLU(slope: 0.2).value.values == a.map { $0 > 0 ? $0 : 0.2 * $0 })
    }

    @Test func extremeActivationsStayFinite() {
        let x = Variable(parameter: Tensor([-1e30, -200, -88, 0, 88, 200, 1e30], shape: [7]))
        #expect(x.silu().value.values.allSatisfy { $0.isFinite })
        #expect(gradients(of: x.silu().sum(), with: [x])[0].value.values.allSatisfy { $0.isFinite })
    }

    static let functions: [(name: String, apply: @Sendable (Variable) -> Variable)] = [
        ("silu", { $0.silu() }), ("sigmoid", { $0.sigmoid() }), ("leaky", { $0.leakyReLU(slope: 0.2) }),
        ("cube", { $0.power(3) }), ("root", { ($0 * $0).affine(scale: 1, shift: 1).power(0.5) }),
        ("product", { $0 * $0.affine(scale: 2, shift: 1) }),
        ("blocks", { $0.reshaped([1, 4, 6, 1]).pixelUnshuffled(2).silu().pixelShuffled(2).reshaped([24]) }),
        (
            "channels",
            { x in
                let image = x.reshaped([2, 2, 2, 3])
                return image.addingChannels(image.silu().sumOverPixels()).reshaped([24])
            }
        ),
        (
            "group norm",
            { x in
                let image = x.reshaped([1, 3, 2, 4])
                let parts = image.sumOverPixels().reshaped([4])
                return image.groupNormalised(
                    GroupNormalisation(groups: 2, silu: true),
                    weights: parts,
                    bias: parts.silu(),
                    modulation: image.concatenatingChannels(of: image).sumOverPixels()
                ).reshaped([24])
            }
        ),
        (
            "attention",
            { x in
                let attended = x.reshaped([2, 2, 6]).selfAttention(headChannels: 1)
                return attended.concatenatingChannels(of: x.reshaped([2, 2, 6]).channels(1..<5))
                    .reshaped([24])
            }
        ),
        ("resampling", { $0.reshaped([1, 2, 4, 3]).sumPooled().silu().upsampled().reshaped([24]) }),
        (
            "matrix",
            { x in
                let m = x.reshaped([4, 6])
                return m.multiplied(by: m.silu(), transposingRight: true).multiplied(by: m).reshaped([24])
            }
        ),
    ]

    /// First and second derivatives of each function, the second through a differentiable first one.
    @Test(arguments: functions.indices)
    func gradientsAndTheirGradientsAgreeWithFiniteDifferences(index: Int) {
        let (name, function) = Self.functions[index]
        var random = TestGenerator(seed: 11)
        let point = random.floats(24).map { abs($0) < 0.05 ? $0 + 0.2 : $0 }
        expectTwiceDifferentiable(name, at: point, weights: random.floats(24), step: 4e-3, function)
    }

    @Test func blocksKeepTheirPixelsTogether() {
        let image = Variable(constant: Tensor((0..<16).map { Float($0) }, shape: [1, 4, 4, 1]))
        #expect(
            image.pixelUnshuffled(2).value.values == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
        )
        #expect(image.pixelUnshuffled(2).pixelShuffled(2).value.values == image.value.values)
        #expect(image.sumPooled().value.values == [10, 18, 42, 50])
        #expect(image.sumPooled().upsampled().value.values.prefix(4) == [10, 10, 18, 18])
    }

    @Test func unrecordedComputationsHaveNoGradient() {
        let x = Variable(parameter: Tensor([1, 2], shape: [2]))
        let y = Recording.off { (x * x).sum() }
        #expect(!y.requiresGradient)
        #expect(gradients(of: y, with: [x])[0].value.values == [0, 0])
    }

    @Test func tensorsHaveValueSemantics() {
        let a = Tensor([1, 2, 3], shape: [3])
        var b = a
        b.withMutableSpan { $0[0] = 9 }
        #expect(a.values == [1, 2, 3])
        #expect(b.values == [9, 2, 3])
    }
}
