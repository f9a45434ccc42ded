import Randomness

extension Canvas {
    /// Multiplies by a function of the distance relative to a disc's edge; the edge deviates from a circle by
    /// `unevenness` at most.
    mutating func disc(
        row: Float,
        column: Float,
        radius: Float,
        unevenness: Float,
        using random: inout SplitMix64,
        visible: Float,
        _ factor: (Float) -> Float
    ) {
        let waves = (0..<3).map { _ in
            (shift: random.drawDirection(), size: unevenness / 3 * random.draw(0.5...1))
        }
        let profile = Profile(reach: 1.8, visible: visible, factor)
        multiply(row: row, column: column, reach: 1.8 * radius * (1 + unevenness), by: profile) {
            down,
            right in
            let distance = (down * down + right * right).squareRoot()
            guard distance > 0.001 else { return 0 }
            var (cosine, sine) = (right / distance, down / distance)
            let (first, second) = (cosine, sine)
            var edge = radius
            for wave in waves {
                edge += radius * wave.size * (cosine * wave.shift.cosine - sine * wave.shift.sine)
                (cosine, sine) = (cosine * first - sine * second, sine * first + cosine * second)
            }
            return distance / edge
        }
    }
}
