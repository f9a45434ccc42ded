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
