public import Plate

/// The texture that JPEG compression leaves: an 8 x 8 cosine transform with its coefficients rounded to coarse steps.
///
/// The same bits on every machine: + and * in a fixed order, and no function of the C library.
public enum JPEGBlocks {
    private typealias Row = SIMD8<Float>
    private typealias Block = InlineArray<8, Row>

    /// cos(k pi / 16) / 2; the constant term has 1 / sqrt(8).
    private static let half: [Float] = [
        0.5, 0.490_392_64, 0.461_939_77, 0.415_734_8, 0.353_553_4, 0.277_785_12, 0.191_341_72, 0.097_545_16,
    ]
    /// Orthonormal cosine transform: a row for each frequency, by position.
    private static let frequencies = Block { k in
        var row = Row(repeating: 0.353_553_4)
        guard k > 0 else { return row }
        for n in 0..<8 {
            // cos((2 n + 1) k pi / 16), folded into the first quarter.
            let angle = (2 * n + 1) * k % 32
            let folded = angle > 16 ? 32 - angle : angle
            row[n] = folded == 8 ? 0 : folded < 8 ? half[folded] : -half[16 - folded]
        }
        return row
    }
    /// The transform turned over: a row for each position, by frequency.
    private static let positions = Block { n in
        var row = Row()
        for k in 0..<8 { row[k] = frequencies[k][n] }
        return row
    }
    /// Luminance steps of ITU-T T.81, table K.1, for quality 50.
    private static let steps: Block = [
        [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92], [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
    /// Adding and taking away 1.5 x 2^23 rounds a `Float` to the nearest whole number.
    private static let rounding = Row(repeating: 12_582_912)

    /// Rounds every whole block of a frame as JPEG would.
    ///
    /// `quality` is 50 ... 100; `level` is one level of an 8-bit image of the same contrast, in the frame's
    /// grey units.
    public static func apply(to frame: inout Frame, quality: Float, level: Float) {
        let scale = max(2 - quality / 50, 0.02)
        let quantum = Block {
            (steps[$0] * scale).clamped(lowerBound: .one, upperBound: .init(repeating: 1e4)) * level
        }
        let inverse = Block { 1 / quantum[$0] }
        let (height, width) = (frame.height, frame.width)
        let (frequencies, positions) = (frequencies, positions)
        unsafe frame.pixels.withUnsafeMutableBufferPointer { pixels in
            for top in stride(from: 0, through: height - 8, by: 8) {
                for left in stride(from: 0, through: width - 8, by: 8) {
                    let start = top * width + left
                    let block = Block { row in
                        var values = Row()
                        for column in 0..<8 { values[column] = unsafe pixels[start + row * width + column] }
                        return values
                    }
                    let spectrum = product(frequencies, columns: product(rows: block, by: positions))
                    let rounded = Block {
                        ((spectrum[$0] * inverse[$0] + rounding) - rounding) * quantum[$0]
                    }
                    let result = product(positions, columns: product(rows: rounded, by: frequencies))
                    for row in 0..<8 {
                        for column in 0..<8 {
                            unsafe pixels[start + row * width + column] = result[row][column]
                        }
                    }
                }
            }
        }
    }

    /// Each row of a block times a matrix.
    @inline(__always)
    private static func product(rows block: Block, by matrix: Block) -> Block {
        Block { row in
            let source = block[row]
            var sum = matrix[0] * source[0]
            for n in 1..<8 { sum += matrix[n] * source[n] }
            return sum
        }
    }

    /// A matrix times the columns of a block.
    @inline(__always)
    private static func product(_ matrix: Block, columns block: Block) -> Block {
        Block { row in
            let weights = matrix[row]
            var sum = block[0] * weights[0]
            for n in 1..<8 { sum += block[n] * weights[n] }
            return sum
        }
    }
}
