import CKernels
import Faults
import Frames
import Mathematics
import Plate
import Randomness

/// One of the microscope's lenses: dust and scratches that stay at their place for the whole run.
struct Lens: Sendable {
    /// Relative transmission of each pixel, row-major, height x width.
    let transmission: [Float]

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
        // Glass is slightly uneven.
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

/// The light in a well's field: uneven Koehler illumination, and a bright ring reflected by the well's wall.
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

/// The sensor and the file: shot and read noise, 8 bits, JPEG texture.
enum Camera {
    /// Squared noise without light, in grey units squared.
    private static let readNoise: Float = 0.5
    /// Squared noise per grey unit of light.
    private static let gain: Float = 0.014

    /// Relative difference of every second column, measured on a real frame.
    private static let columnStep: Float = 0.003
    private static let rowStep: Float = 0.0013

    /// Columns and rows differ in turn, as the sensor's colour filters leave them.
    private static let filters = [
        (1 + rowStep) + columnStep, (1 + rowStep) - columnStep,
        (1 - rowStep) + columnStep, (1 - rowStep) - columnStep,
    ]

    /// Records light given in grey units; `quality` is that of JPEG, `nil` for none.
    static func record(_ frame: inout Frame, quality: Float?, seed: UInt64) {
        unsafe aqc_expose(&frame.pixels, frame.pixels.count, seed, readNoise, gain)
        if let quality { JPEGBlocks.apply(to: &frame, quality: quality, level: 1) }
        unsafe aqc_read_out(&frame.pixels, frame.height, frame.width, filters)
    }
}
