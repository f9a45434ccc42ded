import Faults
import Randomness

/// One of the microscope's lenses: dust and scratches that stay at their place for the whole run.
struct Lens: Sendable {
    /// Relative transmission of each pixel, row-major, height x width.
    let transmission: [Float]

    /// Draws the pattern of a lens.
    init(height: Int, width: Int, seed: UInt64) {
        var random = SplitMix64(seed: seed, 0x1E45)
        var canvas = Canvas(height: height, width: width)
        let share = Float(height * width) / (1280 * 800)
        let count = Int((random.draw(8...30) * share).rounded(.up))
        for _ in 0..<count {
            let isSoft = random.chance(0.3)
            canvas.spot(
                row: random.draw(0...Float(height)),
                column: random.draw(0...Float(width)),
                sigma: isSoft ? random.draw(4...9) : random.draw(0.8...2.5),
                height: (random.chance(0.8) ? -1 : 1)
                    * (isSoft ? random.draw(0.01...0.03) : random.draw(0.02...0.12))
            )
        }
        for _ in 0..<Int((random.draw(4...14) * share).rounded(.up)) {
            let direction = random.drawDirection()
            let length = random.draw(30...260)
            let start = (random.draw(0...Float(height)), random.draw(0...Float(width)))
            canvas.stroke(
                [start, (start.0 + length * direction.sine, start.1 + length * direction.cosine)],
                sigma: random.draw(0.6...1),
                height: random.drawSign() * random.draw(0.008...0.03)
            )
        }
        // Glass is not quite even.
        for _ in 0..<Int((80 * share).rounded(.up)) {
            canvas.spot(
                row: random.draw(0...Float(height)),
                column: random.draw(0...Float(width)),
                sigma: random.draw(15...60),
                height: random.draw(-0.012...0.012)
            )
        }
        transmission = canvas.values
    }
}
