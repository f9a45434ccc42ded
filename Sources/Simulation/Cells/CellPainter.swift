import Plate
import Randomness

/// Draws cells into the light: thickness to phase, phase to a partially coherent, defocused brightfield image.
///
/// Transport of intensity (Teague 1983): I = 1 - (wavelength dz / 2 pi) laplacian(phase), blurred by the objective's NA
/// of 0.3 and, with defocus, by the illumination's aperture; minus what the cell absorbs and what its steep rim scatters
/// out of the aperture.
struct CellPainter {
    /// Wavelength in um.
    private static let wavelength: Float = 0.55
    /// Blur of the objective and the camera, standard deviation in pixels.
    private static let sharpness: Float = 0.9
    /// Blur per um of defocus, in um: about a quarter of the illumination's aperture of 0.15.
    private static let aperture: Float = 0.036
    private static let largest = 96

    private let pixelSize: Float
    private var phase: [Float] = []
    private var across: [Float] = []
    private var blurred: [Float] = []
    private var size = 0
    private var half = 0

    init(pixelSize: Float) { self.pixelSize = pixelSize }

    /// Multiplies a frame by the image of a cell at a defocus in um.
    ///
    /// `slant` is the light's deviation from the axis, as shading from one side. Marks in `mask`, if there is one, the
    /// cell's body and what it changes by more than 4 %.
    mutating func paint(
        _ cell: Cell,
        defocus: Float,
        slant: (x: Float, y: Float),
        on frame: inout Frame,
        mask: inout Mask?
    ) {
        let sigma = blur(defocus)
        let lobes = cell.lobes
        let offset = (lobes.along * lobes.along + lobes.across * lobes.across).squareRoot() + lobes.radius
        let reach = offset.max() * cell.stretch + 1
        let margin = Int((3 * sigma).rounded(.up)) + 2
        half = min(Int(reach.rounded(.up)) + margin, Self.largest)
        size = 2 * half + 1
        let (top, left) = (Int(cell.row.rounded(.down)) - half, Int(cell.column.rounded(.down)) - half)
        guard top < frame.height, left < frame.width, top + size > 0, left + size > 0 else { return }
        clear()
        let origin = (
            row: cell.row - cell.row.rounded(.down), column: cell.column - cell.column.rounded(.down)
        )
        fill(
            cell,
            lobes,
            inner: min(Int(reach.rounded(.up)) + 1, half),
            focusing: min(max(defocus / 14, 0), 1),
            origin: origin
        )
        smooth(sigma)
        let focusing = Self.wavelength * defocus / (2 * Arithmetic.pi) / (pixelSize * pixelSize)
        let core = cell.radius + 0.7 * sigma
        for y in max(1, -top)..<max(min(size - 1, frame.height - top), 1) {
            for x in max(1, -left)..<max(min(size - 1, frame.width - left), 1) {
                let factor = factor(y * size + x, cell, focusing: focusing, slant: slant)
                let index = (top + y) * frame.width + left + x
                frame.pixels[index] *= factor
                let (down, right) = (Float(y - half), Float(x - half))
                if down * down + right * right < core * core || abs(factor - 1) > 0.04 {
                    mask?.values[index] = 1
                }
            }
        }
    }

    /// Standard deviation in pixels at a defocus in um.
    private func blur(_ defocus: Float) -> Float {
        let spread = Self.aperture * defocus / pixelSize
        return (Self.sharpness * Self.sharpness + spread * spread).squareRoot()
    }

    private mutating func clear() {
        let count = size * size
        if phase.count < count {
            phase = [Float](repeating: 0, count: count)
            across = phase
            blurred = phase
        }
        for index in 0..<count { phase[index] = 0 }
    }

    /// The phase delay of a soft union of spheres with granules.
    private mutating func fill(
        _ cell: Cell,
        _ lobes: (along: SIMD4<Float>, across: SIMD4<Float>, radius: SIMD4<Float>),
        inner: Int,
        focusing: Float,
        origin: (row: Float, column: Float)
    ) {
        let granules = Granules(seed: cell.texture)
        for y in half - inner...half + inner {
            let down = Float(y - half) - origin.row
            for x in half - inner...half + inner {
                let right = Float(x - half) - origin.column
                let along = (right * cell.heading.cosine + down * cell.heading.sine) / cell.stretch
                let beside = (down * cell.heading.cosine - right * cell.heading.sine) * cell.stretch
                let (toX, toY) = (along - lobes.along, beside - lobes.across)
                let squares = lobes.radius * lobes.radius - toX * toX - toY * toY
                let inside = squares.replacing(with: 0, where: squares .< 0)
                let powers = inside * inside
                let power = (powers[0] + powers[1]) + (powers[2] + powers[3])
                guard power > 0 else { continue }
                // The fourth power joins half spheres without a crease.
                let thickness = power.squareRoot().squareRoot() / cell.radius
                let grain = granules.value(along + 3 * cell.flow.x, beside + 3 * cell.flow.y)
                // A cell above the focal plane is a lens that gathers light at its middle.
                let lens = thickness * (1 - focusing + focusing * thickness * thickness)
                phase[y * size + x] = cell.phase * lens * (1 + cell.granularity * grain)
            }
        }
    }

    private mutating func smooth(_ sigma: Float) {
        let radius = min(Int((3 * sigma).rounded(.up)), half)
        var kernel = (-radius...radius).map { Arithmetic.exponential(-Float($0 * $0) / (2 * sigma * sigma)) }
        let total = kernel.reduce(0, +)
        for tap in kernel.indices { kernel[tap] /= total }
        Self.convolve(phase, into: &across, kernel, size: size, lineStride: size, step: 1)
        Self.convolve(across, into: &blurred, kernel, size: size, lineStride: 1, step: size)
    }

    /// Convolves along one direction; outside is 0.
    ///
    /// Loops so that neighbours in memory are worked on together.
    private static func convolve(
        _ source: [Float],
        into result: inout [Float],
        _ kernel: [Float],
        size: Int,
        lineStride: Int,
        step: Int
    ) {
        let radius = kernel.count / 2
        for index in 0..<size * size { result[index] = 0 }
        unsafe source.withUnsafeBufferPointer { source in
            unsafe result.withUnsafeMutableBufferPointer { result in
                for (tap, weight) in kernel.enumerated() {
                    let shift = tap - radius
                    let (first, last) = (max(0, -shift), min(size, size - shift))
                    for row in step == 1 ? 0..<size : first..<last {
                        let columns = step == 1 ? first..<last : 0..<size
                        let from = row * size + shift * step
                        for column in columns {
                            unsafe result[row * size + column] += weight * source[from + column]
                        }
                    }
                }
            }
        }
    }

    /// What the cell does to the light at one pixel.
    private func factor(_ index: Int, _ cell: Cell, focusing: Float, slant: (x: Float, y: Float)) -> Float {
        let centre = blurred[index]
        let (west, east) = (blurred[index - 1], blurred[index + 1])
        let (north, south) = (blurred[index - size], blurred[index + size])
        let curvature = west + east + north + south - 4 * centre
        let (gx, gy) = ((east - west) / 2, (south - north) / 2)
        let scattered = 0.2 * (gx * gx + gy * gy)
        let absorbed = cell.absorption * min(centre / (0.6 * cell.phase), 1)
        let change = -focusing * curvature - scattered - absorbed + slant.x * gx + slant.y * gy
        // Light is not negative, and a cell is no perfect lens.
        return change > 0 ? 1 + change / (1 + change / 2.5) : 1 / (1 - change)
    }
}
