import Mathematics
import Randomness

extension Fault {
    /// Puts foreign bodies into the light path.
    func drawContamination(on canvas: inout Canvas, using random: inout SplitMix64) {
        switch form {
        case .hair: drawHair(on: &canvas, using: &random)
        case .fibre: drawFibres(on: &canvas, using: &random)
        case .mould: drawMould(on: &canvas, using: &random)
        case .debris: drawDebris(on: &canvas, using: &random)
        default: drawBlobs(on: &canvas, using: &random)
        }
    }

    /// A place where a body of the frame's middle size is mostly to be seen.
    private func drawPlace(_ canvas: Canvas, using random: inout SplitMix64) -> (Float, Float) {
        (Float(canvas.height) * random.draw(0.15...0.85), Float(canvas.width) * random.draw(0.15...0.85))
    }

    /// A dark thread with bright seams, as a cylinder out of focus.
    private func thread(radius: Float, contrast: Float) -> RadialProfile {
        RadialProfile(reach: 4 * radius + 3, visible: Self.visible) { distance in
            let place = distance / radius
            let off = (place - 2) / 0.7
            return (1 - contrast * (1 - Arithmetic.smoothStep(place, from: 0.5, to: 1.6)))
                * (1 + 0.3 * contrast * Arithmetic.exponential(-off * off / 2))
        }
    }

    /// Points of a path that bends smoothly.
    private func path(
        from start: (Float, Float),
        length: Float,
        step: Float,
        bend: Float,
        using random: inout SplitMix64
    ) -> [(Float, Float)] {
        var points = [start]
        var heading = random.drawDirection()
        var bearing: Float = 0
        for _ in 0..<max(Int(length / step), 1) {
            bearing = 0.9 * bearing + bend * random.drawGaussian()
            let (sine, cosine) = Arithmetic.sineCosine(bearing)
            heading = (
                heading.sine * cosine + heading.cosine * sine, heading.cosine * cosine - heading.sine * sine
            )
            let last = points[points.count - 1]
            points.append((last.0 + step * heading.sine, last.1 + step * heading.cosine))
        }
        return points
    }

    private func drawHair(on canvas: inout Canvas, using random: inout SplitMix64) {
        let base = Float(min(canvas.height, canvas.width))
        let radius = base * random.draw(0.003...0.006) * (0.7 + 0.6 * strength) + 0.8
        let start = drawPlace(canvas, using: &random)
        let length = base * (0.5 + strength) * random.draw(0.8...1.2)
        let points = path(from: start, length: length, step: base / 60, bend: 0.025, using: &random)
        canvas.stroke(points, profile: thread(radius: radius, contrast: 0.3 + 0.6 * strength))
    }

    private func drawFibres(on canvas: inout Canvas, using random: inout SplitMix64) {
        let base = Float(min(canvas.height, canvas.width))
        let middle = drawPlace(canvas, using: &random)
        for _ in 0..<random.drawCount(2...5) {
            let radius = base * random.draw(0.0015...0.005) * (0.7 + 0.6 * strength) + 0.8
            let start = (
                middle.0 + base * random.draw(-0.2...0.2), middle.1 + base * random.draw(-0.2...0.2)
            )
            let length = base * (0.12 + 0.4 * strength) * random.draw(0.6...1.3)
            let points = path(from: start, length: length, step: base / 60, bend: 0.012, using: &random)
            canvas.stroke(points, profile: thread(radius: radius, contrast: 0.25 + 0.6 * strength))
        }
    }

    private func drawMould(on canvas: inout Canvas, using random: inout SplitMix64) {
        let base = Float(min(canvas.height, canvas.width))
        let middle = drawPlace(canvas, using: &random)
        let profile = thread(radius: base * 0.0015 + 1, contrast: 0.25 + 0.5 * strength)
        for _ in 0..<random.drawCount(4...7) {
            let length = base * (0.1 + 0.3 * strength) * random.draw(0.7...1.2)
            let trunk = path(from: middle, length: length, step: base / 100, bend: 0.06, using: &random)
            canvas.stroke(trunk, profile: profile)
            for _ in 0..<4 {
                let start = trunk[random.drawCount(0...trunk.count - 1)]
                let branch = path(
                    from: start,
                    length: 0.4 * length,
                    step: base / 100,
                    bend: 0.08,
                    using: &random
                )
                canvas.stroke(branch, profile: profile)
                let tip = branch[branch.count - 1]
                canvas.spot(
                    row: tip.0,
                    column: tip.1,
                    sigma: base * 0.003 + 1.2,
                    height: -0.3 - 0.5 * strength
                )
            }
        }
    }

    private func drawDebris(on canvas: inout Canvas, using random: inout SplitMix64) {
        let base = Float(min(canvas.height, canvas.width))
        let middle = drawPlace(canvas, using: &random)
        let spread = base * (0.03 + 0.08 * strength)
        for _ in 0..<random.drawCount(15...45) {
            let place = (
                middle.0 + spread * random.drawGaussian(), middle.1 + spread * random.drawGaussian()
            )
            let isBright = random.chance(0.25)
            let contrast = (0.25 + 0.6 * strength) * random.draw(0.6...1)
            canvas.disc(
                row: place.0,
                column: place.1,
                radius: random.draw(2...7) * (0.7 + 0.6 * strength),
                unevenness: 0.35,
                using: &random,
                visible: Self.visible
            ) { place in
                let body = 1 - Arithmetic.smoothStep(place, from: 0.5, to: 1.2)
                return isBright ? 1 + 0.8 * contrast * body : 1 - contrast * body
            }
        }
    }

    private func drawBlobs(on canvas: inout Canvas, using random: inout SplitMix64) {
        let base = Float(min(canvas.height, canvas.width))
        for _ in 0..<random.drawCount(1...3) {
            let place = drawPlace(canvas, using: &random)
            let radius = base * (0.04 + 0.1 * strength) * random.draw(0.7...1.3)
            let isBright = random.chance(0.3)
            let contrast = (0.15 + 0.5 * strength) * random.draw(0.8...1)
            canvas.disc(
                row: place.0,
                column: place.1,
                radius: radius,
                unevenness: 0.2,
                using: &random,
                visible: Self.visible
            ) { place in
                let body = 1 - Arithmetic.smoothStep(place, from: 0.3, to: 1.25)
                let off = (place - 1.3) / 0.15
                let rim = 0.2 * contrast * Arithmetic.exponential(-off * off / 2)
                return isBright ? 1 + contrast * body - rim : 1 - contrast * body + rim
            }
        }
    }
}
