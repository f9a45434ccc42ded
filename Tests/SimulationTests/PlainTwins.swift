import Faults
import Mathematics
import Plate
import Randomness

@testable import Simulation

/// Plain twins of the kernels behind light and camera: a pixel after the other.
enum PlainOptics {
    /// An image times a level and a field known at every 16th pixel.
    static func lit(
        _ image: [Float],
        height: Int,
        width: Int,
        level: Float,
        _ field: @escaping (Float, Float) -> Float
    ) -> [Float] {
        (0..<height * width).map { index in
            let (row, column) = (index / width, index % width)
            let node = { (shift: Int) in
                let place = Float((column / 16 + shift) * 16)
                let share = Float(row % 16) / 16
                return field(Float(row / 16 * 16), place) * (1 - share)
                    + field(Float(row / 16 * 16 + 16), place) * share
            }
            let slope = (node(1) - node(0)) / 16
            return image[index] * level * (node(0) + slope * Float(column % 16))
        }
    }

    /// Light with noise, as 8-bit numbers, without JPEG.
    static func recorded(_ frame: Frame, seed: UInt64) -> [Float] {
        var random = SplitMix64(state: seed)
        var bits: UInt64 = 0
        return frame.pixels.indices.map { index in
            bits = index % 2 == 0 ? random.next() : bits >> 32
            let sum = (0..<4).reduce(0) { $0 + Int(bits >> ($1 * 8) & 255) }
            let noise = (Float(sum) - 510) * (1 / 147.8)
            let light = frame.pixels[index]
            let value = light + noise * (0.5 + 0.014 * max(light, 0)).squareRoot()
            let rows: Float = index / frame.width % 2 == 0 ? 0.0013 : -0.0013
            let columns: Float = index % frame.width % 2 == 0 ? 0.003 : -0.003
            let filtered = min(max(value, 0), 255) * ((1 + rows) + columns)
            return min(max(filtered, 0), 255).rounded(.toNearestOrEven)
        }
    }
}

/// The plain twin of the kernels that paint a cell: every pixel of a square around it by itself.
struct PlainCell {
    private let cell: Cell
    private let defocus: Float
    private let half: Int
    private let kernel: [Float]
    private let sigma: Float
    private var size: Int { 2 * half + 1 }

    init(_ cell: Cell, defocus: Float) {
        (self.cell, self.defocus) = (cell, defocus)
        let spread = 0.036 * defocus / Microscope.pixelSize
        sigma = (0.9 * 0.9 + spread * spread).squareRoot()
        let sigma = sigma
        let radius = Int((3 * sigma).rounded(.up))
        let weights = (-radius...radius).map { tap in
            Arithmetic.exponential(-Float(tap * tap) / (2 * sigma * sigma))
        }
        let total = weights.reduce(0, +)
        kernel = weights.map { $0 / total }
        let lobes = cell.lobes
        let offset = (lobes.along * lobes.along + lobes.across * lobes.across).squareRoot() + lobes.radius
        half = Int((offset.max() * cell.stretch + 1).rounded(.up)) + radius + 2
    }

    /// Multiplies a frame by the cell's image and marks what it changes.
    func paint(slant: (x: Float, y: Float), on frame: inout Frame, mask: inout Mask) {
        let whole = (row: cell.row.rounded(.down), column: cell.column.rounded(.down))
        let blurred = blurred(phase(down: cell.row - whole.row, right: cell.column - whole.column))
        let core = cell.radius + 0.7 * sigma
        for y in 1..<size - 1 {
            for x in 1..<size - 1 {
                let (row, column) = (Int(whole.row) - half + y, Int(whole.column) - half + x)
                guard (0..<frame.height).contains(row), (0..<frame.width).contains(column) else { continue }
                let factor = factor(y * size + x, blurred, slant: slant)
                frame[row, column] *= factor
                let square = (y - half) * (y - half) + (x - half) * (x - half)
                if square < Int(core * core) || abs(factor - 1) > 0.04 {
                    mask.values[row * frame.width + column] = 1
                }
            }
        }
    }

    private func phase(down: Float, right: Float) -> [Float] {
        let granules = Granules(seed: cell.texture)
        return (0..<size * size).map { index in
            let (y, x) = (Float(index / size - half) - down, Float(index % size - half) - right)
            let along = (x * cell.heading.cosine + y * cell.heading.sine) / cell.stretch
            let beside = (y * cell.heading.cosine - x * cell.heading.sine) * cell.stretch
            let (toX, toY) = (along - cell.lobes.along, beside - cell.lobes.across)
            let squares = cell.lobes.radius * cell.lobes.radius - toX * toX - toY * toY
            let inside = squares.replacing(with: 0, where: squares .< 0)
            let powers = inside * inside
            let power = (powers[0] + powers[1]) + (powers[2] + powers[3])
            let thickness = power.squareRoot().squareRoot() / cell.radius
            let focusing = min(max(defocus / 14, 0), 1)
            let lens = thickness * (1 - focusing + focusing * thickness * thickness)
            let grain = Self.grain(granules, along + 3 * cell.flow.x, beside + 3 * cell.flow.y)
            return cell.phase * lens * (1 + cell.granularity * grain)
        }
    }

    private static func grain(_ granules: Granules, _ x: Float, _ y: Float) -> Float {
        let (u, v) = (x / 3, y / 3)
        let (left, top) = (u.rounded(.down), v.rounded(.down))
        let (a, b) = (u - left, v - top)
        let value = { (down: Int, right: Int) in
            granules.values[((Int(top) + down) & 15) * 16 + ((Int(left) + right) & 15)]
        }
        let upper = value(0, 0) * (1 - a) + value(0, 1) * a
        let lower = value(1, 0) * (1 - a) + value(1, 1) * a
        return upper * (1 - b) + lower * b
    }

    /// Along rows, then along columns; outside is 0.
    private func blurred(_ image: [Float]) -> [Float] {
        var image = image
        for step in [1, size] {
            image = image.indices.map { index in
                let place = step == 1 ? index % size : index / size
                return kernel.indices.reduce(0) { sum, tap in
                    let shift = tap - kernel.count / 2
                    guard (0..<size).contains(place + shift) else { return sum }
                    return sum + kernel[tap] * image[index + shift * step]
                }
            }
        }
        return image
    }

    private func factor(_ index: Int, _ blurred: [Float], slant: (x: Float, y: Float)) -> Float {
        let (centre, west, east) = (blurred[index], blurred[index - 1], blurred[index + 1])
        let (north, south) = (blurred[index - size], blurred[index + size])
        let curvature = west + east + north + south - 4 * centre
        let (gx, gy) = ((east - west) / 2, (south - north) / 2)
        let focusing = 0.55 * defocus / (2 * Arithmetic.pi) / (Microscope.pixelSize * Microscope.pixelSize)
        let scattered = 0.2 * (gx * gx + gy * gy)
        let absorbed = cell.absorption * min(centre / (0.6 * cell.phase), 1)
        let change = -focusing * curvature - scattered - absorbed + slant.x * gx + slant.y * gy
        return change > 0 ? 1 + change / (1 + change / 2.5) : 1 / (1 - change)
    }
}
