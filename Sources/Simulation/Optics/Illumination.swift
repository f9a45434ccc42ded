import Mathematics
import Randomness

/// The light in a well's field: uneven Koehler illumination and the bright ring that the well's wall sends back.
enum Illumination {
    /// The relative light, about 1, over a field of a size.
    static func field(height: Int, width: Int, seed: UInt64) -> Field {
        var random = SplitMix64(seed: seed, 0x119E7)
        let (high, wide) = (Float(height), Float(width))
        let tilt = (random.draw(-0.06...0.06), random.draw(-0.04...0.04))
        let bowl = random.draw(-0.03...0.01)
        // The ring's inner edge passes near the borders of the field.
        let centre = (high * random.draw(0.35...0.6), wide * random.draw(0.36...0.6))
        let radius = (high * random.draw(0.5...0.72), wide * random.draw(0.38...0.5))
        let width = random.draw(0.24...0.45)
        let height = random.draw(0.1...0.24)
        let lobes = (0..<3).map { order in
            (order: Float(order + 1), phase: random.draw(0...6.28), size: random.draw(0.25...0.65))
        }
        return Field(height: Int(high), width: Int(wide)) { row, column in
            let (y, x) = (2 * row / high - 1, 2 * column / wide - 1)
            let (down, right) = ((row - centre.0) / radius.0, (column - centre.1) / radius.1)
            let distance = (down * down + right * right).squareRoot()
            var strength: Float = 1
            if distance > 0.01 {
                var (cosine, sine) = (right / distance, down / distance)
                for lobe in lobes {
                    let shift = Arithmetic.sineCosine(lobe.phase)
                    strength += lobe.size * (cosine * shift.cosine - sine * shift.sine)
                    (cosine, sine) = (cosine * cosine - sine * sine, 2 * cosine * sine)
                }
            }
            let off = (distance - 1 - width) / width
            let profile = off < 0 ? Arithmetic.exponential(-off * off * 1.5) : 1 / (1 + 0.5 * off * off)
            return 1 + tilt.0 * x + tilt.1 * y + bowl * (x * x + y * y) + height * max(strength, 0) * profile
        }
    }
}
