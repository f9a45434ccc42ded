import Foundation
import Plate

/// The texture that JPEG compression leaves: an 8 x 8 cosine transform with its coefficients rounded to coarse steps.
enum JPEGBlocks {
    private static let size = 8
    /// Orthonormal cosine transform, [frequency][position].
    private static let cosines: [Float] = (0..<size * size).map { index in
        let (k, n) = (index / size, index % size)
        let scale = k == 0 ? (1 / Float(size)).squareRoot() : (2 / Float(size)).squareRoot()
        return scale * cos(.pi * (Float(n) + 0.5) * Float(k) / Float(size))
    }
    /// Luminance steps of ITU-T T.81, table K.1, for quality 50.
    private static let steps: [Float] = [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
        14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ]

    /// Rounds every whole block of a frame as JPEG would.
    ///
    /// `quality` is 50 ... 100; `level` is one level of an 8-bit image of the same contrast, in the frame's
    /// grey units.
    static func apply(to frame: inout Frame, quality: Float, level: Float) {
        let scale = max(2 - quality / 50, 0.02)
        let quantum = steps.map { max($0 * scale, 1) * level }
        var block = [Float](repeating: 0, count: size * size)
        for row in stride(from: 0, through: frame.height - size, by: size) {
            for column in stride(from: 0, through: frame.width - size, by: size) {
                for i in 0..<size * size { block[i] = frame[row + i / size, column + i % size] }
                block = transformed(block, inverse: false)
                for i in block.indices { block[i] = (block[i] / quantum[i]).rounded() * quantum[i] }
                block = transformed(block, inverse: true)
                for i in block.indices { frame[row + i / size, column + i % size] = block[i] }
            }
        }
    }

    /// The transform of rows, then of columns.
    private static func transformed(_ block: [Float], inverse: Bool) -> [Float] {
        var result = block
        for pass in 0..<2 {
            let source = result
            for line in 0..<size {
                for k in 0..<size {
                    var sum: Float = 0
                    for n in 0..<size {
                        let weight = inverse ? cosines[n * size + k] : cosines[k * size + n]
                        sum += weight * (pass == 0 ? source[line * size + n] : source[n * size + line])
                    }
                    result[pass == 0 ? line * size + k : k * size + line] = sum
                }
            }
        }
        return result
    }
}
