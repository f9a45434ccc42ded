import CKernels
package import Plate

/// The texture that JPEG compression leaves: an 8 x 8 cosine transform with its coefficients rounded to coarse steps.
///
/// The same bits on every machine: + and * in a fixed order, and no function of the C library.
package enum JPEGBlocks {
    /// cos(k pi / 16) / 2; the constant term has 1 / sqrt(8).
    private static let half: [Float] = [
        0.5, 0.490_392_64, 0.461_939_77, 0.415_734_8, 0.353_553_4, 0.277_785_12, 0.191_341_72, 0.097_545_16,
    ]
    /// Orthonormal cosine transform, 8 x 8: a row for each frequency, by position.
    static let frequencies: [Float] = (0..<64).map { index in
        let (k, n) = (index / 8, index % 8)
        guard k > 0 else { return 0.353_553_4 }
        // cos((2 n + 1) k pi / 16), folded into the first quarter.
        let angle = (2 * n + 1) * k % 32
        let folded = angle > 16 ? 32 - angle : angle
        return folded == 8 ? 0 : folded < 8 ? half[folded] : -half[16 - folded]
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
    package static func apply(to frame: inout Frame, quality: Float, level: Float) {
        unsafe aqc_round_blocks(
            &frame.pixels,
            frame.height,
            frame.width,
            frequencies,
            quantum(quality: quality, level: level)
        )
    }

    /// Steps of the coefficients at a quality, in grey units.
    static func quantum(quality: Float, level: Float) -> [Float] {
        let scale = max(2 - quality / 50, 0.02)
        return steps.map { min(max($0 * scale, 1), 1e4) * level }
    }
}
