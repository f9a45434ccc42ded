import Frames
import Plate
import Randomness

/// What the sensor and the file make of the light: shot and read noise, 8 bit, JPEG texture.
enum Camera {
    /// Squared noise without light, in grey units squared.
    private static let readNoise: Float = 0.5
    /// Squared noise per grey unit of light.
    private static let gain: Float = 0.014

    /// Relative difference of every second column, measured on a real frame.
    private static let columnStep: Float = 0.003
    /// Relative difference of every second row.
    private static let rowStep: Float = 0.0013

    /// Records light given in grey units; `quality` is that of JPEG, `nil` for none.
    static func record(_ frame: inout Frame, quality: Float?, seed: UInt64) {
        var random = SplitMix64(state: seed)
        unsafe frame.pixels.withUnsafeMutableBufferPointer { pixels in
            var index = 0
            while index < pixels.count {
                let bits = random.next()
                unsafe expose(&pixels[index], bits: bits & 0xFFFF_FFFF)
                if index + 1 < pixels.count { unsafe expose(&pixels[index + 1], bits: bits >> 32) }
                index += 2
            }
        }
        if let quality { JPEGBlocks.apply(to: &frame, quality: quality, level: 1) }
        finish(&frame)
    }

    /// Columns and rows differ in turn, as the sensor's colour filters leave them; then 8 bit.
    private static func finish(_ frame: inout Frame) {
        let width = frame.width
        unsafe frame.pixels.withUnsafeMutableBufferPointer { pixels in
            for row in 0..<pixels.count / width {
                let even = 1 + (row & 1 == 0 ? rowStep : -rowStep)
                for column in 0..<width {
                    let step = column & 1 == 0 ? columnStep : -columnStep
                    unsafe pixels[row * width + column] = eightBit(
                        unsafe pixels[row * width + column] * (even + step)
                    )
                }
            }
        }
    }

    /// Adds noise, the sum of four even draws, and cuts to what the sensor holds.
    @inline(__always)
    private static func expose(_ light: inout Float, bits: UInt64) {
        let low = (bits & 0x00FF_00FF) &+ ((bits >> 8) & 0x00FF_00FF)
        let sum = Int(low & 0xFFFF) + Int(low >> 16)
        // Four of 0 ... 255: mean 510, standard deviation 147.8.
        let noise = (Float(sum) - 510) * (1 / 147.8)
        let value = light + noise * (readNoise + gain * max(light, 0)).squareRoot()
        light = min(max(value, 0), 255)
    }

    @inline(__always)
    private static func eightBit(_ value: Float) -> Float {
        (min(max(value, 0), 255) + 12_582_912) - 12_582_912
    }
}
