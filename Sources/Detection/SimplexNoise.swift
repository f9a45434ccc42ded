import CKernels

/// OpenSimplex noise (Kurt Spencer, 2014 version) in two dimensions: smooth, without direction, different per
/// seed.
///
/// Each vertex v of a triangular lattice carries a slope g chosen by the permutation, and adds
/// max(0, 2 - d^2)^4 (g . d) / 47 at distance vector d from it.
package struct SimplexNoise: Sendable, Equatable {
    /// The 256 numbers that choose each vertex's slope.
    package let permutation: [UInt8]

    /// Shuffles the numbers 0 to 255 with the 64-bit linear congruential generator that OpenSimplex uses.
    package init(seed: Int64) {
        var state = seed
        let advance = { state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
        for _ in 0..<3 { advance() }
        var left = (0...255).map { UInt8($0) }
        var shuffled = left
        for last in stride(from: 255, through: 0, by: -1) {
            advance()
            let count = Int64(last + 1)
            let remainder = (state &+ 31) % count
            let pick = Int(remainder < 0 ? remainder + count : remainder)
            shuffled[last] = left[pick]
            left[pick] = left[last]
        }
        permutation = shuffled
    }

    /// A field of height x width: entry [i][j] is the sum over octaves k of persistence^k noise(j / f_k, i /
    /// f_k).
    ///
    /// `f_0` is `firstFrequency`, in pixels per lattice unit, and each octave halves it. The defaults are
    /// those of AnoDDPM and pDDPM. Values stay within about -3 ... 3 for six octaves of persistence 0.8.
    package func octaves(
        height: Int,
        width: Int,
        octaves: Int = 6,
        persistence: Double = 0.8,
        firstFrequency: Double = 64
    ) -> [Float] {
        precondition(
            height > 0 && width > 0 && octaves > 0 && firstFrequency > 0,
            "no noise of \(octaves) octaves from \(firstFrequency) for \(height) x \(width)"
        )
        var field = [Double](repeating: 0, count: height * width)
        var frequency = firstFrequency
        var amplitude = 1.0
        for _ in 0..<octaves {
            unsafe aqc_simplex_octave(permutation, &field, height, width, frequency, amplitude)
            frequency /= 2
            amplitude *= persistence
        }
        return field.map { Float($0) }
    }
}
