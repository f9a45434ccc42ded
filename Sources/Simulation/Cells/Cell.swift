import CKernels
import Faults
import Mathematics
import Randomness

/// One cell: where it is, what shape it has, how much it delays and takes light, and how it moves.
struct Cell: Sendable {
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
    /// Movement of its granules, in lattice units.
    var flow: (x: Float, y: Float) = (0, 0)
    private var speed: Float
    private var wobbleAlong: SIMD4<Float> = .zero
    private var wobbleAcross: SIMD4<Float> = .zero
    private var random: SplitMix64
    private var age: Float
    private let restingDepth: Float

    init(_ specimen: Specimen, pixelSize: Float, interval: Float, row: Float, column: Float, seed: UInt64) {
        var random = SplitMix64(seed: seed, 0xCE11)
        form = Self.drawForm(specimen, using: &random)
        let spread = min(max(1 + 0.09 * random.drawGaussian(), 0.8), 1.3)
        var diameter = min(max(specimen.diameter * spread, 9), 16) / pixelSize
        // Delay of a sphere of a refractive index 0.03 above the medium's, at 0.55 um.
        var delay = 0.34 * diameter * pixelSize * random.draw(0.8...1.15)
        var loss = form == .round ? random.draw(0.16...0.32) : random.draw(0.04...0.16)
        if form == .spread { delay *= random.draw(0.3...0.6) }
        if form == .dead {
            let isGhost = random.chance(0.4)
            diameter *= isGhost ? random.draw(0.9...1.1) : random.draw(0.4...0.75)
            delay *= isGhost ? 0.25 : 0.9
            loss = isGhost ? 0.02 : random.draw(0.2...0.6)
        }
        (radius, phase, absorption) = (diameter / 2, delay, loss)
        let isResting = form == .dead || form == .dividing || random.chance(form == .round ? 0.45 : 0.08)
        pace = (isResting ? random.draw(0...0.5) : random.draw(6...15)) / 60 * interval / pixelSize
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
        let rotation = Arithmetic.sineCosine(0.4 * random.drawGaussian())
        heading = (
            heading.sine * rotation.cosine + heading.cosine * rotation.sine,
            heading.cosine * rotation.cosine - heading.sine * rotation.sine
        )
        let length = (heading.sine * heading.sine + heading.cosine * heading.cosine).squareRoot()
        heading = (heading.sine / length, heading.cosine / length)
        speed = max(pace + 0.8 * (speed - pace) + 0.25 * pace * random.drawGaussian(), 0)
        row += speed * heading.sine + 0.1 * random.drawGaussian()
        column += speed * heading.cosine + 0.1 * random.drawGaussian()
        depth = restingDepth + 0.85 * (depth - restingDepth) + 0.5 * random.drawGaussian()
        let unrest: Float = form == .dead ? 0.01 : form == .round ? 0.06 : 0.11
        for lobe in 0..<4 {
            wobbleAlong[lobe] = 0.65 * wobbleAlong[lobe] + unrest * random.drawGaussian()
            wobbleAcross[lobe] = 0.65 * wobbleAcross[lobe] + unrest * random.drawGaussian()
        }
        flow = (flow.x + 0.3 * random.drawGaussian(), flow.y + 0.3 * random.drawGaussian())
        age = age >= 1 ? 0 : age + 0.01
    }

    /// The discs that the shape is the soft union of: along the heading and across it, in pixels.
    var lobes: (along: SIMD4<Float>, across: SIMD4<Float>, radius: SIMD4<Float>) {
        let along: SIMD4<Float>
        let across: SIMD4<Float>
        let size: SIMD4<Float>
        switch form {
        case .round:
            along = [0, 0.5, -0.1, -0.4]
            across = [0, 0.1, 0.3, -0.2]
            size = [0.97, 0.55, 0.6, 0.5]
        case .polarised:
            along = [-0.1, 0.5, -0.6, 0.72]
            across = [0, 0.1, 0, -0.2]
            size = [0.8, 0.66, 0.56, 0.5]
        case .spread:
            along = [-0.35, 0.45, 0.15, 0.8]
            across = [0.1, -0.35, 0.45, 0.1]
            size = [0.8, 0.68, 0.62, 0.5]
        case .dividing:
            along = [-0.35 - 0.4 * age, 0.35 + 0.4 * age, 0, 0]
            across = [0, 0, 0, 0]
            size = [0.78, 0.78, 0.3, 0.3]
        case .dead:
            along = [0, 0.5, -0.4, 0.1]
            across = [0, 0.3, 0.4, -0.6]
            size = [0.8, 0.5, 0.5, 0.4]
        }
        return (radius * (along + wobbleAlong), radius * (across + wobbleAcross), radius * size)
    }

    /// Square root of the lobes' length over their width.
    var stretch: Float {
        switch form {
        case .polarised: 1.14
        case .spread: 1.1
        default: 1
        }
    }

    /// Relative change of the phase by granules and nucleus.
    var granularity: Float { form == .round ? 0.22 : 0.36 }
}

/// All cells of a well's field and a margin around it, at one frame of the series.
struct CellPopulation: Sendable {
    /// Width of the strip around the field, in pixels, where cells are simulated but not drawn.
    private static let margin: Float = 40

    private(set) var cells: [Cell] = []
    private let height: Float
    private let width: Float

    /// Draws the cells of the first frame.
    init(_ specimen: Specimen, height: Int, width: Int, pixelSize: Float, interval: Float, seed: UInt64) {
        (self.height, self.width) = (Float(height), Float(width))
        var random = SplitMix64(seed: seed, 0xF1E1D)
        let (rows, columns) = (self.height + 2 * Self.margin, self.width + 2 * Self.margin)
        let count = Int((specimen.density * rows * columns / (1280 * 800)).rounded())
        for index in 0..<count {
            var best: Cell?
            // Settled cells seldom lie on each other.
            for _ in 0..<12 {
                let place = place(specimen, rows: rows, columns: columns, using: &random)
                let cell = Cell(
                    specimen,
                    pixelSize: pixelSize,
                    interval: interval,
                    row: place.row,
                    column: place.column,
                    seed: random.next() &+ UInt64(index)
                )
                best = cell
                if !overlaps(cell) { break }
            }
            if let best { cells.append(best) }
        }
    }

    private func place(
        _ specimen: Specimen,
        rows: Float,
        columns: Float,
        using random: inout SplitMix64
    ) -> (row: Float, column: Float) {
        if !cells.isEmpty, random.chance(specimen.clumping) {
            let neighbour = cells[random.drawCount(0...cells.count - 1)]
            let direction = random.drawDirection()
            let distance = neighbour.radius * random.draw(1.9...2.3)
            return (neighbour.row + distance * direction.sine, neighbour.column + distance * direction.cosine)
        }
        return (random.draw(0...rows) - Self.margin, random.draw(0...columns) - Self.margin)
    }

    private func overlaps(_ cell: Cell) -> Bool {
        cells.contains { other in
            let (down, right) = (cell.row - other.row, cell.column - other.column)
            let reach = 0.9 * (cell.radius + other.radius)
            return down * down + right * right < reach * reach
        }
    }

    /// Moves all cells by one frame.
    ///
    /// A cell that leaves on one side comes in on the other; touching cells part.
    mutating func step() {
        for index in cells.indices {
            cells[index].step()
            cells[index].row = wrapped(cells[index].row, length: height)
            cells[index].column = wrapped(cells[index].column, length: width)
        }
        for first in cells.indices {
            let (row, column, radius) = (cells[first].row, cells[first].column, cells[first].radius)
            for second in 0..<first where abs(cells[second].row - row) < 30 {
                let (down, right) = (row - cells[second].row, column - cells[second].column)
                let reach = 0.85 * (radius + cells[second].radius)
                let square = down * down + right * right
                guard square < reach * reach, square > 0.01 else { continue }
                let distance = square.squareRoot()
                let push = 0.25 * (reach - distance) / distance
                cells[first].row += push * down
                cells[first].column += push * right
                cells[second].row -= push * down
                cells[second].column -= push * right
            }
        }
    }

    private func wrapped(_ value: Float, length: Float) -> Float {
        if value < -Self.margin { return value + length + 2 * Self.margin }
        if value > length + Self.margin { return value - length - 2 * Self.margin }
        return value
    }
}

/// A cell's granules and nucleus: values of -1 to 1 on a square lattice that repeats.
struct Granules {
    let values: [Float]

    init(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let points = Int(aqc_granule_side * aqc_granule_side)
        values = unsafe [Float](unsafeUninitializedCapacity: points) { values, count in
            for index in stride(from: 0, to: points, by: 2) {
                let bits = random.next()
                unsafe values.initializeElement(at: index, to: Float(bits & 0xFFFF) / 32_768 - 1)
                unsafe values.initializeElement(at: index + 1, to: Float(bits >> 16 & 0xFFFF) / 32_768 - 1)
            }
            count = points
        }
    }
}
