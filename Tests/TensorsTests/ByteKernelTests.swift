import CKernels
import TestSupport
import Testing

struct ByteKernelTests {
    private func byte(_ x: Float) -> UInt8 { UInt8(min(max(x, 0), 255).rounded(.toNearestOrEven)) }

    @Test(arguments: [4, 8])
    func unshuffledPixelsBecomeTwoBytesEach(side: Int) {
        var random = TestGenerator(seed: 8)
        let (height, width, step, zero) = (2 * side, 5 * side, Float(0.0078125), Int32(100))
        let image = random.floats(height * width).map { 2 * $0 }
        var found = [UInt8](repeating: 0, count: 2 * image.count)
        unsafe aqc_quantise_unshuffled(image, &found, height, width, side, step, zero, 16)
        var expected = found
        for row in 0..<height {
            for column in 0..<width {
                let position = row / side * (width / side) + column / side
                let channel = row % side * side + column % side
                // The step is exact in binary, so whether the sum is fused makes no difference.
                let exact = image[row * width + column] / step + Float(zero)
                let first = position * 2 * side * side + channel
                expected[first] = byte(exact)
                expected[first + side * side] = byte(16 * (exact - Float(byte(exact))) + Float(zero))
            }
        }
        #expect(found == expected)
        #expect(found.contains(255) && found.contains(0))
    }

    @Test func aHalfSizedImageIsDoubledAndAdded() {
        var random = TestGenerator(seed: 9)
        let (height, width, channels) = (3, 5, 24)
        let low = random.floats(height * width * channels).map { byte(128 + 127 * $0) }
        let skip = random.floats(4 * low.count).map { byte(128 + 127 * $0) }
        var found = skip
        unsafe aqc_join_upsampled(low, &found, height, width, channels, 0.75, 1.5, -160)
        let expected = skip.indices.map { index in
            let (pixel, channel) = (index / channels, index % channels)
            let (row, column) = (pixel / (2 * width), pixel % (2 * width))
            let from = (row / 2 * width + column / 2) * channels + channel
            // Both factors are exact in binary, so whether the sum is fused makes no difference.
            return byte(0.75 * Float(low[from]) + 1.5 * Float(skip[index]) - 160)
        }
        #expect(found == expected)
    }
}
