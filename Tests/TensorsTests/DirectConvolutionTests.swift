import CKernels
import Foundation
import TestSupport
import Testing

/// The convolution kernels for AVX-512 beside their definition.
struct DirectConvolutionTests {
    /// All numbers of outputs, an odd rest of a tile, both strides, no padding, a pixel shuffle.
    static let shapes = [
        shape(9, 38, 8, 24, kernel: 3), shape(8, 20, 24, 48, kernel: 3, stride: 2),
        shape(5, 7, 16, 64, kernel: 1),
        shape(6, 23, 12, 32, kernel: 3), shape(7, 34, 4, 16, kernel: 3),
        shape(3, 5, 20, 24, kernel: 2, padding: 0),
        shape(17, 18, 24, 16, kernel: 3, shuffle: 4),
    ]

    static let finishes: [(silu: Bool, adds: Bool)] = [
        (true, false), (true, true), (false, true), (false, false),
    ]

    private static func shape(
        _ height: Int,
        _ width: Int,
        _ inputs: Int,
        _ outputs: Int,
        kernel: Int,
        stride: Int = 1,
        padding: Int? = nil,
        shuffle: Int = 0
    ) -> aqc_direct_shape {
        aqc_direct_shape(
            height: height,
            width: width,
            inputs: inputs,
            outputs: outputs,
            kernel: kernel,
            stride: stride,
            padding: padding ?? kernel / 2,
            unshuffle: 0,
            shuffle: shuffle
        )
    }

    @Test(
        .enabled(
            if: aqc_direct_bytes_fits(DirectConvolutionTests.shapes[0]) != 0,
            "this CPU has no AVX-512 VNNI"
        ),
        arguments: DirectConvolutionTests.shapes.indices,
        DirectConvolutionTests.finishes
    )
    func bytesAgreeWithTheDefinition(_ index: Int, finish: (silu: Bool, adds: Bool)) throws {
        let shape = Self.shapes[index]
        #expect(aqc_direct_bytes_fits(shape) != 0)
        var random = TestGenerator(seed: 5)
        let bytes = { (count: Int) in random.floats(count).map { UInt8(128 + 127 * $0) } }
        let source = bytes(shape.height * shape.width * shape.inputs)
        let before = bytes(shape.results)
        let weights = random.floats(shape.outputs * shape.taps)
        let scales = (0..<shape.outputs).map { 1 / 64 + Float($0) / 1000 }
        let bias = random.floats(shape.outputs)
        let toFloat = shape.shuffle > 0
        let adds = finish.adds && !toFloat
        let (step, zero, addend, unit) = (Float(0.005), 77, Float(0.02), Float(40))
        let sums = shape.sums(source.map { Double(Int($0) - zero) }, shape.bytes(weights, scales))
        let expected = sums.enumerated().map { index, sum in
            let channel = index % shape.outputs
            let y = sum * Double(step * scales[channel]) + Double(bias[channel])
            return (y + (adds ? Double(addend) * Double(before[index]) : 0)).activated(finish.silu)
        }
        let meaning = aqc_direct_finish(
            silu: finish.silu ? 1 : 0,
            to_float: toFloat ? 1 : 0,
            addend_step: adds ? addend : 0,
            unit: unit,
            zero: 30
        )
        let plan = try unsafe #require(
            aqc_direct_bytes_make(shape, weights, scales, bias, step, Int32(zero), meaning)
        )
        defer { unsafe aqc_direct_bytes_free(plan) }
        guard toFloat else {
            var found = before
            unsafe aqc_direct_bytes_run(plan, source, &found)
            let exact = expected.map { min(max(Double(unit) * $0 + 30, 0), 255) }
            // Half a byte by rounding, and what the short polynomial of the sigmoid leaves.
            #expect(zip(found, exact).allSatisfy { abs(Double($0) - $1) < 0.52 })
            return
        }
        var found = [Float](repeating: 0, count: shape.results)
        unsafe aqc_direct_bytes_run(plan, source, &found)
        #expect(relativeError(found, shape.shuffled(expected).map(Float.init)) < 2e-4)
    }

    @Test(
        .enabled(
            if: aqc_direct_floats_fits(DirectConvolutionTests.shapes[0]) != 0,
            "this CPU has no AVX-512 BF16"
        ),
        arguments: DirectConvolutionTests.shapes.indices,
        DirectConvolutionTests.finishes
    )
    func bfloat16AgreesWithTheDefinition(_ index: Int, finish: (silu: Bool, adds: Bool)) {
        let shape = Self.shapes[index]
        #expect(aqc_direct_floats_fits(shape) != 0)
        var random = TestGenerator(seed: 6)
        let source = random.floats(shape.height * shape.width * shape.inputs)
        let weights = random.floats(shape.outputs * shape.taps)
        let bias = random.floats(shape.outputs)
        let addend = random.floats(shape.results)
        let adds = finish.adds && shape.shuffle == 0
        let expected = shape.sums(source.map(\.inBfloat16), weights.map(\.inBfloat16)).enumerated().map {
            ($1 + Double(bias[$0 % shape.outputs]) + (adds ? Double(addend[$0]) : 0)).activated(finish.silu)
        }
        let found = shape.floats(source, weights, bias, adds ? addend : nil, silu: finish.silu)
        #expect(relativeError(found, shape.shuffled(expected).map(Float.init)) < 1e-6)
    }

    @Test(
        .enabled(
            if: aqc_direct_floats_fits(DirectConvolutionTests.shapes[0]) != 0,
            "this CPU has no AVX-512 BF16"
        )
    )
    func unshufflesThePixelsThatItReads() {
        var random = TestGenerator(seed: 7)
        let packed = Self.shape(5, 6, 16, 24, kernel: 3)
        var unshuffling = packed
        unshuffling.unshuffle = 4
        let image = random.floats(20 * 24)
        var channels = image
        unsafe aqc_pixel_unshuffle(image, &channels, 1, 20, 24, 1, 4)
        let weights = random.floats(24 * packed.taps)
        let bias = random.floats(24)
        let found = unshuffling.floats(image, weights, bias, nil, silu: true)
        #expect(found == packed.floats(channels, weights, bias, nil, silu: true))
    }

    @Test func otherShapesAreLeftToTheLibrary() {
        for outputs in [1, 8, 20, 40, 128] {
            #expect(aqc_direct_bytes_fits(Self.shape(8, 8, 8, outputs, kernel: 3)) == 0)
            #expect(aqc_direct_floats_fits(Self.shape(8, 8, 8, outputs, kernel: 3)) == 0)
        }
        #expect(aqc_direct_bytes_fits(Self.shape(8, 8, 6, 16, kernel: 3)) == 0)
        #expect(aqc_direct_bytes_fits(Self.shape(8, 8, 8, 16, kernel: 5)) == 0)
        // Pixels go in pairs there.
        #expect(aqc_direct_floats_fits(Self.shape(8, 7, 8, 24, kernel: 3)) == 0)
    }

    @Test func imagesOfHalfTheSizeAreDoubledAndAdded() {
        var random = TestGenerator(seed: 8)
        let (x, other) = (random.floats(2 * 3 * 5 * 6), random.floats(4 * 2 * 3 * 5 * 6))
        var doubled = other
        var found = other
        unsafe aqc_upsample(x, &doubled, 2, 3, 5, 6)
        unsafe aqc_add_upsampled(x, other, &found, 2, 3, 5, 6)
        #expect(found == zip(doubled, other).map { $0 + $1 })
    }
}

extension aqc_direct_shape {
    fileprivate var rows: Int { (height + 2 * padding - kernel) / stride + 1 }
    fileprivate var columns: Int { (width + 2 * padding - kernel) / stride + 1 }
    fileprivate var taps: Int { kernel * kernel * inputs }
    fileprivate var results: Int { rows * columns * outputs }

    /// The definition, with zeros around the image.
    fileprivate func sums(_ x: [Double], _ weights: [Double]) -> [Double] {
        (0..<results).map { index in
            let (pixel, output) = (index / outputs, index % outputs)
            var sum = 0.0
            for tap in 0..<kernel * kernel {
                let row = pixel / columns * stride + tap / kernel - padding
                let column = pixel % columns * stride + tap % kernel - padding
                guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
                for input in 0..<inputs {
                    sum +=
                        x[(row * width + column) * inputs + input]
                        * weights[output * taps + tap * inputs + input]
                }
            }
            return sum
        }
    }

    /// Weights as bytes, those of each output by its scale.
    fileprivate func bytes(_ weights: [Float], _ scales: [Float]) -> [Double] {
        weights.enumerated().map { Double(($1 * (1 / scales[$0 / taps])).rounded(.toNearestOrEven)) }
    }

    /// Channels of results as squares of pixels.
    fileprivate func shuffled(_ values: [Double]) -> [Double] {
        guard shuffle > 0 else { return values }
        return values.indices.map { index in
            let (row, column) = (index / (4 * columns), index % (4 * columns))
            return values[(row / 4 * columns + column / 4) * 16 + row % 4 * 4 + column % 4]
        }
    }

    fileprivate func floats(
        _ source: [Float],
        _ weights: [Float],
        _ bias: [Float],
        _ addend: [Float]?,
        silu: Bool
    ) -> [Float] {
        let packed = UnsafeMutableRawPointer.allocate(byteCount: aqc_direct_floats_size(self), alignment: 64)
        defer { unsafe packed.deallocate() }
        unsafe aqc_direct_floats_pack(self, weights, packed)
        var result = [Float](repeating: 0, count: results)
        if let addend {
            unsafe aqc_direct_floats_run(self, packed, source, bias, addend, silu ? 1 : 0, &result)
        } else {
            unsafe aqc_direct_floats_run(self, packed, source, bias, nil, silu ? 1 : 0, &result)
        }
        return result
    }
}

extension Float {
    /// Rounded to bfloat16, ties to even.
    fileprivate var inBfloat16: Double {
        let bits = bitPattern + 0x7FFF + (bitPattern >> 16 & 1)
        return Double(Float(bitPattern: bits & 0xFFFF_0000))
    }
}

extension Double {
    /// x * sigmoid(x), if asked for.
    fileprivate func activated(_ silu: Bool) -> Double { silu ? self / (1 + exp(-self)) : self }
}
