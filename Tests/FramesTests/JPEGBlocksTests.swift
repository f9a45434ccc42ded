import Plate
import TestSupport
import Testing

@testable import Frames

struct JPEGBlocksTests {
    /// What becomes of one block, by sums in the order of their indices.
    private func plain(_ block: [Float], _ quantum: [Float]) -> [Float] {
        let transform = JPEGBlocks.frequencies
        let product = { (count: Int, term: (Int) -> Float) in (1..<count).reduce(term(0)) { $0 + term($1) } }
        let each = { (value: (Int, Int) -> Float) in (0..<64).map { value($0 / 8, $0 % 8) } }
        let rows = each { y, k in product(8) { block[y * 8 + $0] * transform[k * 8 + $0] } }
        let spectrum = each { l, k in product(8) { transform[l * 8 + $0] * rows[$0 * 8 + k] } }
        let coarse = (0..<64).map {
            (spectrum[$0] * (1 / quantum[$0])).rounded(.toNearestOrEven) * quantum[$0]
        }
        let lines = each { l, x in product(8) { coarse[l * 8 + $0] * transform[$0 * 8 + x] } }
        return each { y, x in product(8) { transform[$0 * 8 + y] * lines[$0 * 8 + x] } }
    }

    @Test(arguments: [(16, 24), (27, 45), (7, 40)], [(Float(82), Float(1)), (60, 0.3)])
    func blocksAreRoundedToTheLastBit(size: (height: Int, width: Int), texture: (Float, Float)) {
        var random = TestGenerator(seed: 5)
        let pixels = random.floats(size.height * size.width, in: 0...255)
        var frame = Frame(height: size.height, width: size.width, pixels: pixels)
        var expected = frame
        JPEGBlocks.apply(to: &frame, quality: texture.0, level: texture.1)
        let quantum = JPEGBlocks.quantum(quality: texture.0, level: texture.1)
        for top in stride(from: 0, through: size.height - 8, by: 8) {
            for left in stride(from: 0, through: size.width - 8, by: 8) {
                let block = (0..<64).map { expected[top + $0 / 8, left + $0 % 8] }
                for (index, value) in plain(block, quantum).enumerated() {
                    expected[top + index / 8, left + index % 8] = value
                }
            }
        }
        #expect(frame == expected)
    }
}
