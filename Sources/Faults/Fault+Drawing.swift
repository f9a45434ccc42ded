import Mathematics
import Randomness

extension Fault {
    /// Smallest change of transmission that is drawn, so that a local fault has an edge.
    static let visible: Float = 0.02
    /// Change of light that counts as faulty illumination.
    private static let uneven: Float = 0.1

    /// The fault's effect on the light of each pixel at a frame, and the pixels that it makes faulty.
    ///
    /// `nil` for defocus, which changes the optics and not the light.
    package func image(height: Int, width: Int, at frame: Int) -> Canvas? {
        var canvas = Canvas(height: height, width: width)
        var random = SplitMix64(seed: seed, 0xFA017)
        switch kind {
        case .airBubble: drawBubble(on: &canvas, age: Float(frame - onset), using: &random)
        case .artifact: drawArtifact(on: &canvas, using: &random)
        case .contamination: drawContamination(on: &canvas, using: &random)
        case .illumination: drawLight(on: &canvas, using: &random)
        case .zShift: return nil
        }
        return canvas
    }

    /// The shift of the focus in um, above 0 upwards; 0 for other faults.
    package var defocus: Float {
        guard form == .defocus else { return 0 }
        var random = SplitMix64(seed: seed, 0xF0C05)
        let sign = random.drawSign()
        return sign * (shift ?? (Self.leastShift + Self.shiftRange * strength) * random.draw(0.9...1.1))
    }

    /// The strength of a fault that shifts the focus by `shift` um.
    package static func strength(ofShift shift: Float) -> Float {
        min(max((shift - leastShift) / shiftRange, 0), 1)
    }

    /// Shift of the focus at a strength of 0, in um, and how much larger it is at 1.
    private static let (leastShift, shiftRange): (Float, Float) = (24, 76)

    private func drawBubble(on canvas: inout Canvas, age: Float, using random: inout SplitMix64) {
        let base = Float(min(canvas.height, canvas.width))
        let radius = base * (0.06 + 0.32 * strength) * random.draw(0.85...1.15)
        var row = Float(canvas.height) * random.draw(0.1...0.9)
        var column = Float(canvas.width) * random.draw(0.1...0.9)
        switch random.drawCount(0...5) {
        // Some bubbles are cut by a border.
        case 0: row = 0.3 * radius
        case 1: row = Float(canvas.height) - 0.4 * radius
        case 2: column = 0.1 * radius
        case 3: column = Float(canvas.width) - 0.2 * radius
        default: break
        }
        let direction = random.drawDirection()
        let drift = random.chance(0.35) ? random.draw(0.1...0.8) * base / 800 : 0
        let depth = min(0.5 + 0.6 * strength, 0.98)
        let profile =
            form == .darkBubble
            ? Self.darkBubble(radius: radius, depth: depth) : Self.brightBubble(radius: radius, depth: depth)
        canvas.multiply(
            row: row + age * drift * direction.sine,
            column: column + age * drift * direction.cosine,
            reach: profile.reach,
            by: profile
        )
    }

    private static func darkBubble(radius: Float, depth: Float) -> RadialProfile {
        RadialProfile(reach: 1.6 * radius, visible: visible) { distance in
            let place = distance / radius
            let dark = 1 - depth * (1 - Arithmetic.smoothStep(place, from: 0.82, to: 1.07))
            return dark
                * (1 + ring(place, at: 1.16, 0.04, 0.07) - ring(place, at: 1.25, 0.03, 0.035)
                    + ring(place, at: 1.34, 0.04, 0.05))
        }
    }

    private static func brightBubble(radius: Float, depth: Float) -> RadialProfile {
        RadialProfile(reach: 1.4 * radius, visible: visible) { distance in
            let place = distance / radius
            let rim = ring(place, at: 0.9, 0.075, 0.95 * depth)
            let inner = 0.3 * depth * (1 - Arithmetic.smoothStep(place, from: 0.55, to: 0.85))
            return 1 + inner - rim + ring(place, at: 0.72, 0.03, 0.35 * depth)
                + ring(place, at: 1.06, 0.025, 0.5 * depth) - ring(place, at: 1.15, 0.03, 0.12 * depth)
        }
    }

    /// A Gaussian ring by relative distance.
    private static func ring(_ place: Float, at centre: Float, _ width: Float, _ height: Float) -> Float {
        let off = (place - centre) / width
        return height * Arithmetic.exponential(-off * off / 2)
    }

    private func drawArtifact(on canvas: inout Canvas, using random: inout SplitMix64) {
        let base = Float(min(canvas.height, canvas.width))
        if form == .missingRows {
            for _ in 0..<random.drawCount(1...3) {
                let start = random.draw(0...Float(canvas.height) * 0.9)
                let rows = max(base * (0.01 + 0.12 * strength) * random.draw(0.5...1), 1)
                let first = Int(start)
                for row in first..<min(first + Int(rows.rounded(.up)), canvas.height) {
                    for index in row * canvas.width..<(row + 1) * canvas.width {
                        canvas.multiply(index, by: 0)
                    }
                }
            }
            return
        }
        let isBright = random.chance(0.2)
        for _ in 0..<random.drawCount(1...5) {
            let radius = max(base * (0.008 + 0.03 * strength) * random.draw(0.5...1.5), 2)
            let contrast = (0.2 + 0.7 * strength) * random.draw(0.8...1)
            canvas.disc(
                row: random.draw(0...Float(canvas.height)),
                column: random.draw(0...Float(canvas.width)),
                radius: radius,
                unevenness: 0.25,
                using: &random,
                visible: Self.visible
            ) { place in
                let body = 1 - Arithmetic.smoothStep(place, from: 0.7, to: 1.15)
                let halo = Self.ring(place, at: 1.3, 0.12, 0.15 * contrast)
                return isBright ? 1 + 1.2 * contrast * body - halo : (1 - contrast * body) * (1 + halo)
            }
        }
    }

    private func drawLight(on canvas: inout Canvas, using random: inout SplitMix64) {
        let (high, wide) = (Float(canvas.height), Float(canvas.width))
        let base = min(high, wide)
        let centre = (high * random.draw(0.1...0.9), wide * random.draw(0.1...0.9))
        let direction = random.drawDirection()
        let softness = random.draw(0.6...1)
        let (form, strength) = (form, strength)
        let shadow = shadow(height: high, width: wide, direction, softness, using: &random)
        let field = Field(height: canvas.height, width: canvas.width) { row, column in
            let (down, right) = ((row - centre.0) / base, (column - centre.1) / base)
            let square = down * down + right * right
            switch form {
            case .overExposure: return 1 + (0.3 + 1.5 * strength) * (0.6 + 0.4 / (1 + square))
            case .underExposure: return 1 - (0.3 + 0.62 * strength) * (0.85 + 0.15 / (1 + square))
            case .gradient:
                let along =
                    (2 * row / high - 1) * direction.sine + (2 * column / wide - 1) * direction.cosine
                return max(1 + (0.2 + 0.75 * strength) * along, 0.04)
            case .offCentreAperture:
                let (y, x) = (row / high - 0.5, column / wide - 0.5)
                let along = y * direction.sine * high / base + x * direction.cosine * wide / base
                let beside = x * direction.sine * wide / base - y * direction.cosine * high / base
                let edge = along + 0.35 * beside * beside
                let border = 0.45 - 0.5 * strength
                let dark = Arithmetic.smoothStep(edge, from: border, to: border + 0.3 * softness)
                return 1 - (0.4 + 0.57 * strength) * dark
            case .shadow: return shadow(row, column)
            default:
                let reach = 0.18 + 0.3 * strength
                return 1 + (0.8 + 2.6 * strength)
                    * Arithmetic.exponential(-square / (2 * reach * reach * softness))
            }
        }
        field.multiply(&canvas.values)
        for index in canvas.values.indices where abs(canvas.values[index] - 1) > Self.uneven {
            canvas.marks[index] = 1
        }
    }

    /// Light that a third to a half of the field lacks, from a side or a corner on, as a function of row and column.
    private func shadow(
        height: Float,
        width: Float,
        _ direction: (sine: Float, cosine: Float),
        _ softness: Float,
        using random: inout SplitMix64
    ) -> (_ row: Float, _ column: Float) -> Float {
        let base = min(height, width)
        let (share, bend) = (random.draw(0.33...0.5), random.draw(-0.25...0.25))
        let place = { (row: Float, column: Float) -> Float in
            let (down, right) = ((row - height / 2) / base, (column - width / 2) / base)
            let beside = right * direction.sine - down * direction.cosine
            return down * direction.sine + right * direction.cosine + bend * beside * beside
        }
        let grid = (0..<256).map { index in
            place((Float(index / 16) + 0.5) * height / 16, (Float(index % 16) + 0.5) * width / 16)
        }
        let border = grid.sorted()[Int((1 - share) * 256)]
        let (depth, reach) = (0.2 + 0.5 * strength, 0.2 * softness)
        return { row, column in
            1 - depth * Arithmetic.smoothStep(place(row, column), from: border - reach, to: border + reach)
        }
    }
}
