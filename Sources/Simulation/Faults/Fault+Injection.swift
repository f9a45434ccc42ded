import Mathematics
package import Plate
import Randomness

extension Fault {
    /// Blur per um of defocus, standard deviation in pixels, as simulated cells are blurred.
    private static let blurPerMicrometre: Float = 0.056
    /// Change against the background by which a defocused cell is seen.
    private static let seen: Float = 0.04

    /// Puts the fault on a normal frame that exists, grey values of 0 to `white`: 255 where a pixel has 8 bits.
    ///
    /// What lies in the light path multiplies the grey values, with the same soft edges as in a simulated frame, and rows
    /// that were not delivered keep the sensor's own noise. Out of focus, cells lose their detail and may turn from dark
    /// to bright; the mask is what they cover then. Whole grey values come out, unless white is 1.
    package func injected(into original: Frame, white: Float = 255) -> SimulatedFrame {
        precondition(white > 0, "white is \(white)")
        // The fault counts in grey values of 8 bits.
        let unit = white / 255
        var frame = original
        if unit != 1 { for index in frame.pixels.indices { frame.pixels[index] /= unit } }
        var result = frame
        var mask = Mask(
            height: frame.height,
            width: frame.width,
            values: [UInt8](repeating: 0, count: frame.pixels.count)
        )
        if let canvas = image(height: frame.height, width: frame.width, at: onset) {
            var random = SplitMix64(seed: seed, 0x1213)
            for index in result.pixels.indices where canvas.values[index] != 1 {
                let light = frame.pixels[index] * canvas.values[index]
                result.pixels[index] = light + (1 - min(canvas.values[index], 1)) * random.drawGaussian()
            }
            mask.values = canvas.marks
        } else {
            (result, mask) = defocused(frame)
        }
        for index in result.pixels.indices {
            let grey = min(max(result.pixels[index], 0), 255) * unit
            result.pixels[index] = white > 1 ? grey.rounded() : grey
        }
        return SimulatedFrame(frame: result, mask: mask, faults: [self])
    }

    /// The grain of the camera stays sharp, so that focus cannot be told from noise alone.
    private func defocused(_ frame: Frame) -> (Frame, Mask) {
        var random = SplitMix64(seed: seed, 0xB1E2)
        let sigma = abs(defocus) * Self.blurPerMicrometre
        let contrast = random.drawSign() * random.draw(1...2)
        let background = LocalBackground(frame)
        var (around, cells) = (frame, frame)
        for row in 0..<frame.height {
            for column in 0..<frame.width {
                around[row, column] = background.value(row: row, column: column)
                cells[row, column] -= around[row, column]
            }
        }
        let blurred = GaussianBlur.blurred(cells, sigma: sigma)
        let fine = GaussianBlur.blurred(cells, sigma: 0.7)
        var (result, marks) = (frame, [UInt8](repeating: 0, count: frame.pixels.count))
        for index in frame.pixels.indices {
            let (light, cell) = (max(around.pixels[index], 1), contrast * blurred.pixels[index])
            // What a slight blur takes away is mostly noise; far from the cells all of it is.
            let noise = min(max(cells.pixels[index] - fine.pixels[index], -3), 3)
            result.pixels[index] = light + cell + noise
            marks[index] = abs(cell) > Self.seen * light ? 1 : 0
        }
        return (result, Mask(height: frame.height, width: frame.width, values: marks))
    }
}
