import Randomness

/// A cell's granules and nucleus: smooth noise that repeats every 16 lattice units.
struct Granules {
    /// Lattice unit in pixels.
    private static let pitch: Float = 3
    private var values: [Float]

    init(seed: UInt64) {
        var random = SplitMix64(state: seed)
        values = []
        for _ in 0..<128 {
            let bits = random.next()
            values.append((Float(bits & 0xFFFF) / 32_768 - 1))
            values.append((Float(bits >> 16 & 0xFFFF) / 32_768 - 1))
        }
    }

    /// At a place in pixels, -1 to 1.
    func value(_ x: Float, _ y: Float) -> Float {
        let (u, v) = (x / Self.pitch, y / Self.pitch)
        let (left, top) = (u.rounded(.down), v.rounded(.down))
        let (a, b) = (u - left, v - top)
        let (column, row) = (Int(left) & 15, Int(top) & 15)
        let (right, below) = ((column + 1) & 15, (row + 1) & 15)
        let upper = values[row * 16 + column] * (1 - a) + values[row * 16 + right] * a
        let lower = values[below * 16 + column] * (1 - a) + values[below * 16 + right] * a
        return upper * (1 - b) + lower * b
    }
}
