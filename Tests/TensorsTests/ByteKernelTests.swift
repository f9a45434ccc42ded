import CKernels
import TestSupport
import Testing

struct ByteKernelTests {
    private func byte(_ x: Float) -> Int8 { Int8(min(max(x, -127), 127).rounded(.toNearestOrEven)) }

    @Test(arguments: [4, 8])
    func cellsBecomeChannelsRoundedAndSaturated(cell: Int) {
        var random = TestGenerator(seed: 8)
        let (height, width, scale) = (2 * cell, 5 * cell, Float(0.01))
        let image = random.floats(height * width).map { 2 * $0 }
        var found = [Int8](repeating: 0, count: image.count)
        unsafe aqc_quantise_cells(image, &found, height, width, cell, scale)
        var expected = found
        for row in 0..<height {
            for column in 0..<width {
                let position = row / cell * (width / cell) + column / cell
                let channel = row % cell * cell + column % cell
                expected[position * cell * cell + channel] = byte(image[row * width + column] * (1 / scale))
            }
        }
        #expect(found == expected)
        #expect(found.contains(127) && found.contains(-127))
    }

    @Test func aHalfSizedImageIsDoubledAndAdded() {
        var random = TestGenerator(seed: 9)
        let (height, width, channels) = (3, 5, 24)
        let low = random.floats(height * width * channels).map { byte(127 * $0) }
        let skip = random.floats(4 * low.count).map { byte(127 * $0) }
        var found = skip
        unsafe aqc_join_upsampled(low, &found, height, width, channels, 0.75, 1.5)
        let expected = skip.indices.map { index in
            let (pixel, channel) = (index / channels, index % channels)
            let (row, column) = (pixel / (2 * width), pixel % (2 * width))
            let from = (row / 2 * width + column / 2) * channels + channel
            // Both factors are exact in binary, so whether the sum is fused makes no difference.
            return byte(0.75 * Float(low[from]) + 1.5 * Float(skip[index]))
        }
        #expect(found == expected)
    }
}
