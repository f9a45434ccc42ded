import Randomness

/// One cell: where it is, what shape it has, how much it delays and takes light, and how it moves.
struct Cell: Sendable {
    /// What the shape is made of.
    enum Form: Sendable {
        case round
        case polarised
        case spread
        case dividing
        case dead
    }

    let form: Form
    /// Radius of the round cell of this volume, in pixels.
    let radius: Float
    /// Phase delay through the cell's middle, in radians.
    let phase: Float
    /// Share of the light that is absorbed or scattered away.
    let absorption: Float
    /// Speed that it tends to, in pixels per frame.
    let pace: Float
    /// Seed of its granules.
    let texture: UInt64
    var row: Float
    var column: Float
    var heading: (sine: Float, cosine: Float)
    /// Height above the plane of the others, in um.
    var depth: Float
    /// How its granules have moved, in lattice units.
    var flow: (x: Float, y: Float) = (0, 0)
    private var speed: Float
    private var wobbleAlong: SIMD4<Float> = .zero
    private var wobbleAcross: SIMD4<Float> = .zero
    private var random: SplitMix64
    private var age: Float
    private let restingDepth: Float

    /// Draws a cell at a place.
    init(_ specimen: Specimen, pixelSize: Float, interval: Float, row: Float, column: Float, seed: UInt64) {
        var random = SplitMix64(seed: seed, 0xCE11)
        form = Self.drawForm(specimen, using: &random)
        let spread = min(max(1 + 0.09 * random.drawGaussian(), 0.8), 1.3)
        var diameter = min(max(specimen.diameter * spread, 9), 16) / pixelSize
        // Delay of a sphere of refractive index 0.024 above the medium at 0.55 um.
        var delay = 0.27 * diameter * pixelSize * random.draw(0.8...1.15)
        var loss = random.draw(0.02...0.08)
        if form == .spread { delay *= random.draw(0.3...0.6) }
        if form == .dead {
            let isGhost = random.chance(0.4)
            diameter *= isGhost ? random.draw(0.9...1.1) : random.draw(0.4...0.75)
            delay *= isGhost ? 0.25 : 0.9
            loss = isGhost ? 0.02 : random.draw(0.2...0.6)
        }
        (radius, phase, absorption) = (diameter / 2, delay, loss)
        let isResting = form == .dead || form == .dividing || random.chance(form == .round ? 0.6 : 0.1)
        pace = (isResting ? random.draw(0...0.5) : random.draw(5...15)) / 60 * interval / pixelSize
        texture = random.next()
        (self.row, self.column) = (row, column)
        heading = random.drawDirection()
        restingDepth =
            random.chance(0.03) ? random.drawSign() * random.draw(8...16) : 1.2 * random.drawGaussian()
        depth = restingDepth
        speed = pace
        age = random.draw(0...1)
        self.random = random
        for _ in 0..<6 { step() }
        (self.row, self.column) = (row, column)
    }

    private static func drawForm(_ specimen: Specimen, using random: inout SplitMix64) -> Form {
        if random.chance(specimen.dead) { return .dead }
        if random.chance(specimen.polarised) { return random.chance(0.25) ? .spread : .polarised }
        return random.chance(0.015) ? .dividing : .round
    }

    /// Moves on by one frame: a persistent random walk, with a shape and a height that fluctuate.
    mutating func step() {
        let turn = Arithmetic.sineCosine(0.4 * random.drawGaussian())
        heading = (
            heading.sine * turn.cosine + heading.cosine * turn.sine,
            heading.cosine * turn.cosine - heading.sine * turn.sine
        )
        let length = (heading.sine * heading.sine + heading.cosine * heading.cosine).squareRoot()
        heading = (heading.sine / length, heading.cosine / length)
        speed = max(pace + 0.8 * (speed - pace) + 0.25 * pace * random.drawGaussian(), 0)
        row += speed * heading.sine + 0.1 * random.drawGaussian()
        column += speed * heading.cosine + 0.1 * random.drawGaussian()
        depth = restingDepth + 0.9 * (depth - restingDepth) + 0.4 * random.drawGaussian()
        let unrest: Float = form == .dead ? 0.01 : form == .round ? 0.05 : 0.14
        for lobe in 0..<4 {
            wobbleAlong[lobe] = 0.75 * wobbleAlong[lobe] + unrest * random.drawGaussian()
            wobbleAcross[lobe] = 0.75 * wobbleAcross[lobe] + unrest * random.drawGaussian()
        }
        flow = (flow.x + 0.12 * random.drawGaussian(), flow.y + 0.12 * random.drawGaussian())
        age = age >= 1 ? 0 : age + 0.01
    }

    /// The discs that the shape is the soft union of, relative to the cell's place, in pixels.
    var lobes: (x: SIMD4<Float>, y: SIMD4<Float>, radius: SIMD4<Float>) {
        let along: SIMD4<Float>
        let across: SIMD4<Float>
        let size: SIMD4<Float>
        switch form {
        case .round:
            along = [0, 0.62, -0.1, -0.5]
            across = [0, 0.1, 0.3, -0.2]
            size = [0.97, 0.42, 0.5, 0.4]
        case .polarised:
            along = [-0.15, 0.55, -0.85, 0.9]
            across = [0, 0.1, 0, -0.25]
            size = [0.78, 0.6, 0.36, 0.34]
        case .spread:
            along = [-0.4, 0.5, 0.2, 0.9]
            across = [0.1, -0.4, 0.55, 0.1]
            size = [0.75, 0.6, 0.55, 0.4]
        case .dividing:
            along = [-0.35 - 0.4 * age, 0.35 + 0.4 * age, 0, 0]
            across = [0, 0, 0, 0]
            size = [0.78, 0.78, 0.3, 0.3]
        case .dead:
            along = [0, 0.5, -0.4, 0.1]
            across = [0, 0.3, 0.4, -0.6]
            size = [0.8, 0.5, 0.5, 0.4]
        }
        let u = radius * (along + wobbleAlong)
        let v = radius * (across + wobbleAcross)
        return (u * heading.cosine - v * heading.sine, u * heading.sine + v * heading.cosine, radius * size)
    }
}
